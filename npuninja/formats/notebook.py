"""Jupyter notebooks (nbformat 4) as Python programs: their code cells, in order.

What IPython adds to Python is left out where it only decides how things are shown; else it is refused, as the
program without it would be another one.
"""

from __future__ import annotations

import json
import re

from npuninja.errors import Location, UserError

#: Line magics for how results are shown or modules are loaded, not for what is computed.
_SHOWING = ("matplotlib", "config", "load_ext", "reload_ext", "autoreload", "pylab", "precision")
#: Cell magics whose cell is Python, run as any other.
_AROUND = ("time", "timeit", "capture", "prun")
_MAGIC = re.compile(r"\s*(%%?)(\w+)")
# `!command`, `name = !command`, `name = %magic`, `?name`, `name?`.
_IPYTHON = re.compile(r"\s*(?:[\w, ]+=\s*)?[!%?]|.*\w\?{1,2}\s*$")


def program_of_notebook(text: str, path: str) -> str:
    """The code cells of a notebook as one program, each after a comment with its number.

    Args:
        text: of the file, JSON.
        path: of the file, for messages.

    Raises:
        UserError: it is no notebook with Python in it, or a cell has what only IPython runs.
    """
    try:
        notebook = json.loads(text)
        cells = notebook["cells"]
        code = [
            (n, "".join(cell["source"])) for n, cell in enumerate(cells, 1) if cell["cell_type"] == "code"
        ]
        language = notebook.get("metadata", {}).get("language_info", {}).get("name", "python")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError("not a notebook of nbformat 4: it has no cells of text", Location(path)) from error
    if language != "python":
        raise UserError(f"a notebook in {language}, not in Python", Location(path))
    parts = []
    for number, source in code:
        parts += [f"# Cell {number}.", *_lines(source.splitlines(), number, path), ""]
    return "\n".join(parts)


def _lines(lines: list[str], number: int, path: str) -> list[str]:
    found, quote = [], ""
    for position, line in enumerate(lines):
        if quote:  # in a text over several lines
            quote = "" if line.count(quote) % 2 else quote
            found.append(line)
            continue
        magic = _MAGIC.match(line)
        shown = magic and (
            (magic[1] == "%" and magic[2] in _SHOWING)
            or (magic[1] == "%%" and magic[2] in _AROUND and not position)
        )
        if shown:
            indent = line[: len(line) - len(line.lstrip())]
            found.append(f"{indent}pass  # {line.strip()}")
            continue
        if _IPYTHON.match(line) and not line.lstrip().startswith("#"):
            raise UserError(
                f"cell {number} has {line.strip()!r}, which IPython runs and Python does not",
                Location(path),
                hint="run the notebook by Jupyter, or take that line out of a copy",
            )
        quote = next((mark for mark in ('"""', "'''") if line.count(mark) % 2), "")
        found.append(line)
    return found
