"""`condition ? x : 0.0f` with a bfloat16 x: to a compiler of an NPU both are numbers, the result is a float.

In the headers for emulated cores bfloat16 is a class, so such an expression is ambiguous to C++. The compiler
says where its operands are, in the source or in a header that it includes. There they are given to
`npu_number`, which makes a float of a bfloat16 and leaves anything else as it is. The compiler reads the
changed text in place of the file (`-ivfsoverlay`), which does not change; lines keep their numbers.
"""

from __future__ import annotations

import json
import os
import re

from npuninja import kernel_headers
from npuninja.stages._tool import remove
from npuninja.terminal import without_colour

#: What the compiler says of such an expression.
AMBIGUOUS = re.compile(r"conditional expression is ambiguous; .*bfloat16")
#: The flags with which it names both operands, without the line of the source.
RANGE_FLAGS = ("-fdiagnostics-print-source-range-info", "-fno-caret-diagnostics", "-ferror-limit=0")
#: Conditional expressions within each other are found one level at a time.
ROUNDS = 6
_RANGE = r"\{(\d+):(\d+)-(\d+):(\d+)\}"
_PLACE = re.compile(rf"^(.+?):\d+:\d+:{_RANGE}{_RANGE}: error: {AMBIGUOUS.pattern}", re.MULTILINE)
_BEFORE, _BEHIND = b"npu_number(", b")"


class Conditionals:
    """Texts in which ambiguous conditional expressions are numbers, for one run of the compiler.

    Args:
        base: path and start of the name of the files that this makes.
    """

    def __init__(self, base: str) -> None:
        self._base = base
        self._texts: dict[str, list[bytes]] = {}
        self._made: list[str] = []

    def take(self, said: str) -> bool:
        """Changes the texts by what the compiler said with `RANGE_FLAGS`. Says if anything changed."""
        places: dict[str, set[tuple[int, int, bytes]]] = {}
        for found in _PLACE.finditer(without_colour(said)):
            path = os.path.abspath(found[1])
            if not path.startswith(kernel_headers.INCLUDE_FOLDER) and os.path.isfile(path):
                numbers = [int(word) for word in found.groups()[1:9]]
                for start in (0, 4):
                    line, column, last, end = numbers[start : start + 4]
                    places.setdefault(path, set()).update({(line, column, _BEFORE), (last, end, _BEHIND)})
        for path, inserts in places.items():
            if path not in self._texts:
                with open(path, "rb") as stream:
                    self._texts[path] = stream.read().split(b"\n")
            lines = self._texts[path]
            # From the end, so that columns further left stay what they were.
            for line, column, text in sorted(inserts, reverse=True):
                if line <= len(lines):
                    row = lines[line - 1]
                    lines[line - 1] = row[: column - 1] + text + row[column - 1 :]
        return bool(places)

    def flags(self) -> list[str]:
        """The compiler's flags to read the changed texts."""
        roots = []
        for number, (path, lines) in enumerate(self._texts.items()):
            made = f"{self._base}.{number}"
            self._write(made, b"\n".join(lines))
            roots.append({"name": path, "type": "file", "external-contents": os.path.abspath(made)})
        overlay = self._base + ".yaml"
        self._write(overlay, json.dumps({"version": 0, "use-external-names": False, "roots": roots}).encode())
        return ["-ivfsoverlay", overlay]

    def _write(self, path: str, data: bytes) -> None:
        with open(path, "wb") as stream:
            stream.write(data)
        if path not in self._made:
            self._made.append(path)

    def close(self) -> None:
        """Removes the changed texts and the overlay."""
        remove(*self._made)
