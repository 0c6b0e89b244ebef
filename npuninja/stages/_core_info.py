"""What stage core_code says of a core, for the stages that link it."""

from __future__ import annotations

import json
import os

from npuninja import TYPE_CHECKING
from npuninja.errors import InternalError, Location
from npuninja.source_places import original
from npuninja.stages._run import Arguments, read_text

if TYPE_CHECKING:
    from typing import Any


def read_core_info(options: Arguments) -> dict[str, Any]:
    """What stage core_code says of the core; `location` and `functions` have places in the design.

    File names in the JSON are relative to the folder above its own (see the option --file-name of core_code).
    """
    path = options.one("--info")
    info: dict[str, Any] = json.loads(read_text(path))
    if options.one("--core") != f"{info['column']},{info['row']}":
        raise InternalError(f"{path} is about another core than {options.one('--core')}")

    def place(file: str, line: int, column: int) -> Location:
        there = os.path.join(os.path.dirname(os.path.dirname(path)), file)
        return Location(*original((there if os.path.exists(there) else file, line, column)))

    info["location"] = place(*info["location"])
    info["functions"] = [(name, place(*where), arguments) for name, *where, arguments in info["functions"]]
    return info
