"""From a line of an MLIR file that a stage made to the line of the design it comes from.

A stage that prints a module writes beside it which line stands for what place of the file that it read
(`NAME.places`). Nothing depends on that file and no command needs it; it is read to show an error or a
warning. It has the stage's warnings too, so a run at a standstill can show again what foretold it. So an edit
that only moves lines makes nothing again, and messages of later stages still name the user's own line.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, Callable, Sequence

#: File, line and column, as in `npuninja.errors.Location`.
SourcePlace = tuple[str, int, int]
#: What is after a file's name in the name of its places.
SUFFIX = ".places"
#: After the name of an output, or of a batch of stages: what was said when it was made, as people read it.
WARNINGS_SUFFIX = ".warnings"
#: Files that one place may lead through: lowered, routed, and the design.
_MOST_STEPS = 4


def places_text(
    content: bytes,
    sources: Sequence[tuple[int, SourcePlace]],
    folder: str,
    warnings: Sequence[tuple[str, SourcePlace | None]] = (),
) -> str:
    """The content of a file of places.

    Args:
        content: of the file whose lines are meant.
        sources: line numbers of it, from 1, and what they come from.
        folder: the one it is put into. Names are kept as seen from there, so they are the same in every copy.
        warnings: what the stage warned of, and where that is.
    """
    import json
    import os

    files: dict[str, int] = {}
    lines = [
        [line, files.setdefault(file, len(files)), there, column] for line, (file, there, column) in sources
    ]
    said = [
        [text, [files.setdefault(place[0], len(files)), *place[1:]] if place else None]
        for text, place in warnings
    ]
    names = [os.path.relpath(name, folder or ".") for name in files]
    kept: dict[str, object] = {"of": _mark(content), "files": names, "lines": lines}
    if said:
        kept["warnings"] = said
    return json.dumps(kept, separators=(",", ":")) + "\n"


def _mark(content: bytes) -> str:
    """What tells one build's file from another's; no secret, and OpenSSL's hashes take 5 ms to be loaded."""
    import zlib

    return f"{len(content)}-{zlib.crc32(content):08x}"


#: Of a place: the column is that of the file that was made.
SAME_COLUMN = -1

_known: dict[str, Callable[[int], SourcePlace | None]] = {}


def original(place: SourcePlace) -> SourcePlace:
    """Where a place of a file that stages made comes from; the place itself where that is not known."""
    for _ in range(_MOST_STEPS):
        file, line, _ = place
        if not line or not file.endswith(".mlir"):
            break
        if file not in _known:
            _known[file] = _reader(file)
        found = _known[file](line)
        if found is None:
            break
        place = (found[0], found[1], place[2] if found[2] == SAME_COLUMN else found[2])
    return place


def warnings_of(file: str) -> list[tuple[str, SourcePlace | None]]:
    """What was warned of when a file was made, with places; none when that is not known."""
    said, names = _read(file)
    try:
        return [
            (str(text), (names[place[0]], int(place[1]), int(place[2])) if place else None)
            for text, place in said.get("warnings", ())
        ]
    except (ValueError, KeyError, IndexError, TypeError):
        return []


def _reader(file: str) -> Callable[[int], SourcePlace | None]:
    places: dict[int, SourcePlace] = {}
    said, names = _read(file)
    try:
        for line, number, there, column in said.get("lines", ()):
            places[line] = (names[number], there, column)
    except (ValueError, IndexError, TypeError):
        return lambda line: None
    return places.get


def _read(file: str) -> tuple[dict[str, Any], list[str]]:
    """The content of the places of a file, and the names in it; nothing if damaged or of another build."""
    import json
    import os

    try:
        with open(file + SUFFIX, encoding="utf-8") as stream:
            said: dict[str, Any] = json.load(stream)
        with open(file, "rb") as content:
            if _mark(content.read()) != said["of"]:
                return {}, []
        folder = os.path.dirname(file)
        return said, [os.path.normpath(os.path.join(folder, name)) for name in said["files"]]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return {}, []
