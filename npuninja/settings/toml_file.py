"""Reading TOML into checked values, with located errors; and writing it."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

from npuninja import TYPE_CHECKING
from npuninja.errors import Location, ToolError, UserError
from npuninja.files import MAX_DESCRIPTION_BYTES, read_file
from npuninja.suggestions import did_you_mean

if TYPE_CHECKING:
    from typing import Any

INSTALL = "`pip install -e .` installs all that is needed, and `make run` does that and the rest"


def read_toml(path: str) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        UserError: it cannot be read or is not TOML; located.
    """
    return parse_toml(read_text(path), path)


def read_text(path: str) -> str:
    """The text of a file. Raises UserError when it cannot be read."""
    try:
        return read_file(path, MAX_DESCRIPTION_BYTES).decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise UserError(f"cannot read {path}: it is not UTF-8 text") from error


def parse_toml(text: str, path: str) -> dict[str, Any]:
    """The content of a TOML text. Raises UserError, located in `path`, when it is not TOML."""
    if sys.version_info >= (3, 11):
        import tomllib

        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            # Expected '=' after a key in a key/value pair (at line 3, column 9)
            match = re.search(r"^(.*) \(at line (\d+), column (\d+)\)$", str(error))
            where = Location(path, int(match[2]), int(match[3])) if match else Location(path)
            raise UserError(f"not TOML: {(match[1] if match else str(error)).lower()}", where) from error
        except ValueError as error:  # a number of thousands of digits
            raise UserError(f"not TOML: {str(error).partition(';')[0].lower()}", Location(path)) from error
    toml = toml_package()
    try:
        return dict(toml.loads(text))
    except toml.TomlDecodeError as error:
        raise UserError(
            f"not TOML: {error.msg.lower()}", Location(path, error.lineno, error.colno)
        ) from error


def toml_package() -> Any:
    """The package `toml`, which writes TOML, and reads it where the standard library cannot (3.10).

    Raises:
        ToolError: it is not installed.
    """
    try:
        import toml  # type: ignore[import-untyped]  # 10 ms, and only when something changed
    except ImportError as error:
        raise ToolError("the Python package toml is missing", hint=INSTALL) from error
    return toml


class Table:
    """A table of a TOML file that knows where it is; every value is asked for by type.

    Args:
        content: the table.
        path: the file.
        name: its name in the file ("tools"), "" for the whole file.
    """

    def __init__(self, content: Mapping[str, Any], path: str, name: str = "") -> None:
        self.content = content
        self.path = path
        self.name = name

    def only(self, known: list[str]) -> None:
        """Raises UserError when there is a key that is not one of `known`; suggests a similar one."""
        for key in self.content:
            if key not in known:
                where = f" in [{self.name}]" if self.name else ""
                raise UserError(
                    f"unknown key {key!r}{where}",
                    self.place(key),
                    hint=did_you_mean(key, known, f"known: {', '.join(known)}"),
                )

    def text(self, key: str) -> str | None:
        """A string, or None when the key is absent."""
        value = self.content.get(key)
        if value is None or isinstance(value, str):
            return value
        raise UserError(f"{key!r} must be a string, got {value!r}", self.place(key))

    def texts(self, key: str) -> list[str]:
        """A list of strings; [] when the key is absent."""
        value = self.content.get(key, [])
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return value
        raise UserError(f"{key!r} must be a list of strings, got {value!r}", self.place(key))

    def table(self, key: str) -> Table:
        """A table below this one; empty when the key is absent."""
        value = self.content.get(key, {})
        if isinstance(value, dict):
            return Table(value, self.path, f"{self.name}.{key}" if self.name else key)
        raise UserError(f"{key!r} must be a table, got {value!r}", self.place(key))

    def place(self, key: str) -> Location:
        """Where a key is: the parsers keep no places, so its first line of that form is looked for."""
        pattern = re.compile(rf"(?:^\s*|[{{,.\[]\s*)(['\"]?)({re.escape(key)})\1\s*[=\].]")
        try:
            with open(self.path, encoding="utf-8") as stream:
                for number, line in enumerate(stream, 1):
                    match = pattern.search(line) if not line.lstrip().startswith("#") else None
                    if match:
                        return Location(self.path, number, match.start(2) + 1)
        except OSError:
            pass
        return Location(self.path)
