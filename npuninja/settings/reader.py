"""Reads a toolchain.toml: checked against the table, with presets laid over it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from npuninja import TYPE_CHECKING
from npuninja.errors import Location, UserError
from npuninja.settings.places import Path, SettingPlaces
from npuninja.settings.table import CONFIGURE, IN_PRESETS, KINDS, PRESET, SECTIONS, Key, Section
from npuninja.settings.toml_file import parse_toml, read_text
from npuninja.suggestions import did_you_mean

if TYPE_CHECKING:
    from typing import Any

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class SettingsFile:
    """A file, checked.

    Args:
        path: the file.

    Attributes:
        content: all that it says, as it was read.

    Raises:
        UserError: it is not TOML, or a key or value means nothing; located, with near matches.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        text = read_text(path)
        self.content: dict[str, Any] = parse_toml(text, path)
        self._locations = SettingPlaces(path, text)
        self._preset: tuple[str, ...] = ()
        self._check_tables(self.content, SECTIONS, ())

    def place(self, *path: str) -> Location:
        """Where a key is, by the names on the way to it: in the presets that are used, then outside."""
        for preset in self._preset:
            where = self._locations.of(("preset", preset, *path))
            if where != self._locations.of(("preset", preset)):
                return where
        return self._locations.of(path)

    def presets(self) -> list[str]:
        """The names of the presets."""
        return list(self.content.get("preset", {}))

    def with_preset(self, name: str | None) -> dict[str, Any]:
        """The content with a preset laid over it, those that it inherits first; without the presets.

        The preset's options are in the table `configure`.

        Raises:
            UserError: there is no such preset, or presets inherit from each other in a circle.
        """
        merged = {key: value for key, value in self.content.items() if key != "preset"}
        used: list[str] = []
        if name is not None:
            self._inherited(name, (), used)
        for preset in used:
            table = dict(self.content["preset"][preset])
            table.pop("inherit", None)
            options = {key: table.pop(key) for key in list(table) if CONFIGURE.key(key)}
            merged = _laid_over(merged, {**table, "configure": options})
        self._preset = tuple(reversed(used))
        return merged

    def _inherited(self, name: str, way: Sequence[str], used: list[str]) -> None:
        presets = self.content.get("preset", {})
        if name not in presets:
            where = self._locations.of(("preset", way[-1], "inherit")) if way else None
            raise UserError(
                f"there is no preset {name!r}",
                where,
                hint=did_you_mean(name, presets, f"presets in {self.path}: {', '.join(presets) or 'none'}"),
            )
        if name in way:
            circle = " inherits ".join([*way[way.index(name) :], name])
            raise UserError(
                f"presets inherit in a circle: {circle}", self._locations.of(("preset", name, "inherit"))
            )
        if name in used:
            return
        others = presets[name].get("inherit", [])
        for other in [others] if isinstance(others, str) else others:
            self._inherited(other, (*way, name), used)
        used.append(name)

    def _check_tables(self, content: Mapping[str, Any], sections: Sequence[Section], way: Path) -> None:
        """Checks the sections of the whole file, or those of a preset."""
        top = PRESET if way else sections[0]
        names = [s.name for s in sections if s.name]
        for name, value in content.items():
            found = next((s for s in sections if s.name == name and name), None)
            if found is not None and isinstance(value, (dict, list)):
                self._check_section(found, value, (*way, name))
            elif top.key(name) is not None:
                self._check_value(top.key(name), value, (*way, name))
            elif found is not None:
                raise UserError(f"{name!r} must be a table, got {value!r}", self._locations.of((*way, name)))
            else:
                self._unknown(name, [*names, *(key.name for key in top.keys)], way)

    def _check_section(self, section: Section, value: Any, way: Path) -> None:
        if section.many == "yes":
            if not isinstance(value, list):
                message = f"{section.name!r} must be a list of tables, written [[{section.name}]]"
                raise UserError(message, self._locations.of(way))
            for number, entry in enumerate(value):
                self._check_table(section, entry, (*way, str(number)))
        elif not isinstance(value, dict):
            raise UserError(f"{section.name!r} must be a table, got {value!r}", self._locations.of(way))
        elif not section.named:
            self._check_table(section, value, way)
        else:
            for name, entry in value.items():
                below = (*way, name)
                if isinstance(entry, list) and section.many == "may":
                    for number, one in enumerate(entry):
                        self._check_table(section, one, (*below, str(number)))
                elif section.name == "preset" and isinstance(entry, dict):
                    self._check_tables(entry, IN_PRESETS, below)
                elif isinstance(entry, dict):
                    self._check_table(section, entry, below)
                else:
                    written = f'[{section.name}."{name}"]' if "." in name else f"[{section.name}.{name}]"
                    raise UserError(
                        f"{name!r} in [{section.name}] must be a table, got {entry!r}",
                        self._locations.of(below),
                        hint=f"write {written} and the keys below it",
                    )

    def _check_table(self, section: Section, table: Any, way: Path) -> None:
        if not isinstance(table, dict):
            raise UserError(f"{section.name!r} must hold tables, got {table!r}", self._locations.of(way))
        for name, value in table.items():
            key = section.key(name)
            if key is None:
                self._unknown(name, [k.name for k in section.keys], way)
            else:
                self._check_value(key, value, (*way, name))
        for key in section.keys:
            if key.required and key.name not in table:
                raise UserError(f"[[{section.name}]] needs `{key.name}`", self._locations.of(way))

    def _unknown(self, name: str, known: list[str], way: Path) -> None:
        below = [part for part in way if not part.isdecimal()]
        where = f" in [{'.'.join(below)}]" if below else ""
        elsewhere = [_written(s) for s in SECTIONS if s.name and s.name != "preset" and s.key(name)]
        others = f"it is in {' or '.join(elsewhere)}" if elsewhere else f"known: {', '.join(known)}"
        raise UserError(
            f"unknown key {name!r}{where}",
            self._locations.of((*way, name)),
            hint=did_you_mean(name, known, others),
        )

    def _check_value(self, key: Key | None, value: Any, way: Path) -> None:
        assert key is not None
        if not _CHECKS[key.kind](value):
            raise UserError(
                f"{key.name!r} must be {KINDS[key.kind]}, got {_toml(value)}", self._locations.of(way)
            )
        for item in value if isinstance(value, list) else [value]:
            if not key.allowed or item in key.allowed:
                continue
            raise UserError(
                f"{key.name!r} must be {'made of' if isinstance(value, list) else 'one of'} "
                f"{', '.join(key.allowed)}, got {_toml(item)}",
                self._locations.of(way),
                hint=did_you_mean(item, key.allowed, key.hint),
            )


def _all_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _number_from(least: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least


def _some_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


#: Whether a value is of a kind of `KINDS`.
_CHECKS: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "path": _some_text,
    "texts": _all_text,
    "paths": lambda value: _all_text(value) and all(value),
    "boolean": lambda value: isinstance(value, bool),
    "seconds": _number_from(1),
    "count": _number_from(0),
    "tool": lambda value: value is False or _some_text(value),
    "names": lambda value: isinstance(value, str) or _all_text(value),
    "day": lambda value: isinstance(value, str) and bool(_DAY.fullmatch(value)),
}


def _toml(value: Any) -> str:
    """A value as it is written in the file, near enough for a message."""
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are put together key by key, everything else is replaced."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _laid_over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _written(section: Section) -> str:
    return f"[{section.name}.NAME]" if section.named else f"[{section.name}]"
