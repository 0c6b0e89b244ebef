"""Where keys are in a TOML file: the parsers keep no places."""

from __future__ import annotations

import re

from npuninja.errors import Location

_HEADER = re.compile(r"^\s*\[(\[)?(?P<name>[^\]]*)\]")
_PART = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*""")
_STRING_OR_COMMENT = re.compile(
    r'''"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|#[^\n]*'''
)

Path = tuple[str, ...]


class SettingPlaces:
    """The places of one file.

    Args:
        file: its name, for locations.
        text: its content; need not be TOML.
    """

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._found: dict[Path, Location] = {}
        # Line of every `[table]` and, after it, of every `key =`; in inline tables the name alone is known.
        self._inner: list[tuple[Path, str, Location]] = []
        self._scan(text)

    def _scan(self, text: str) -> None:
        table: Path = ()
        current: Path = ()
        counts: dict[Path, int] = {}
        depth = 0
        for number, line in enumerate(text.split("\n"), 1):
            # What is in strings and comments is neither bracket nor key.
            plain = _STRING_OR_COMMENT.sub(lambda m: "#" if m[0][0] == "#" else "_" * len(m[0]), line)
            header = _HEADER.match(line) if depth == 0 else None
            if header:
                parts, _ = _key_at(header["name"], 0)
                table = tuple(parts)
                start = header.start("name") + 1
                if header[1]:
                    counts[table] = counts.get(table, -1) + 1
                    table = (*table, str(counts[table]))
                for length in range(1, len(table) + 1):
                    self._found.setdefault(table[:length], Location(self._file, number, start))
                continue
            if depth == 0:
                parts, end = _key_at(line, 0)
                if parts and line[end : end + 1] == "=":
                    where = Location(self._file, number, len(line) - len(line.lstrip()) + 1)
                    for length in range(1, len(parts) + 1):
                        self._found.setdefault((*table, *parts[:length]), where)
                    current = (*table, *parts)
                    self._inline(current, line, end + 1, number)
            else:
                self._inline(current, line, 0, number)
            depth = max(0, depth + sum(plain.count(c) for c in "[{") - sum(plain.count(c) for c in "]}"))

    def _inline(self, above: Path, line: str, start: int, number: int) -> None:
        for match in re.finditer(
            r"""[{,]\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(?==)""", line[start:]
        ):
            name = match[1] or match[2] or match[3]
            column = start + match.end() - len(match[0].lstrip("{, \t")) + 1
            self._inner.append((above, name, Location(self._file, number, column)))

    def of(self, path: Path) -> Location:
        """The place of a key, by the names on the way to it; the nearest table above when it is not found."""
        for length in range(len(path), 0, -1):
            where = self._found.get(path[:length])
            if where:
                if length < len(path):
                    for above, name, place in self._inner:
                        if name == path[-1] and above[:length] == path[:length]:
                            return place
                return where
        return Location(self._file)


def _key_at(text: str, start: int) -> tuple[list[str], int]:
    """The dotted key that is there, and where it ends; [] when there is none."""
    parts: list[str] = []
    position = start
    while True:
        match = _PART.match(text, position)
        if not match:
            return [], start
        parts.append(next(group for group in match.groups() if group is not None))
        position = match.end()
        if text[position : position + 1] != ".":
            return parts, position
        position += 1
