"""From a line of an MLIR file that a stage made to the line of the design it comes from.

A stage that prints a module writes beside it which line stands for what place of the file that it read (`NAME.places`).
Nothing depends on that file and no command needs it; it is looked into when an error or a warning is shown. So an edit
that only moves lines makes nothing anew, and messages of later stages name the user's own line all the same.
"""

from __future__ import annotations

from typing import Callable, Sequence

#: File, line and column, as in `npuninja.errors.Location`.
Place = tuple[str, int, int]
#: What is behind a file's name in the name of its places.
SUFFIX = ".places"
#: Files that one place may lead through: lowered, routed, and the design.
_MOST_STEPS = 4


def places_text(content: bytes, places: Sequence[tuple[int, Place]], folder: str) -> str:
    """The content of a file of places.

    Args:
        content: of the file whose lines are meant.
        places: line numbers of it, from 1, and what they come from.
        folder: the one it is put into. Names are kept as seen from there, so that they are the same in every copy.
    """
    import hashlib
    import json
    import os

    files: dict[str, int] = {}
    lines = [
        [line, files.setdefault(file, len(files)), there, column] for line, (file, there, column) in places
    ]
    digest = hashlib.sha256(content).hexdigest()
    names = [os.path.relpath(name, folder or ".") for name in files]
    return json.dumps({"of": digest, "files": names, "lines": lines}, separators=(",", ":")) + "\n"


_known: dict[str, Callable[[int], Place | None]] = {}


def original(place: Place) -> Place:
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
        place = found
    return place


def _reader(file: str) -> Callable[[int], Place | None]:
    import hashlib
    import json
    import os

    places: dict[int, Place] = {}
    try:
        with open(file + SUFFIX, encoding="utf-8") as stream:
            said = json.load(stream)
        with open(file, "rb") as content:
            if hashlib.sha256(content.read()).hexdigest() != said["of"]:
                return lambda line: None  # of another build
        folder = os.path.dirname(file)
        names = [os.path.normpath(os.path.join(folder, name)) for name in said["files"]]
        for line, number, there, column in said["lines"]:
            places[line] = (names[number], there, column)
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return lambda line: None
    return places.get
