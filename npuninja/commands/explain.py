"""`npuninja explain [FILE]`: the hints for a log."""

from __future__ import annotations

import json
import sys
from typing import Sequence

from npuninja.argument_parser import VerbParser
from npuninja.errors import UserError
from npuninja.files import MIB, read_file
from npuninja.hints import matching

#: A log. Its errors are looked for with patterns, line by line; a build's whole output is some megabytes.
MAX_LOG_BYTES = 8 * MIB


def main(arguments: Sequence[str]) -> int:
    """Runs `npuninja explain`; returns its exit code."""
    parser = VerbParser(
        prog="npuninja explain",
        description="Says what the errors in a log mean: of a build, of XRT, "
        "of the kernel (`dmesg`), of Ninja.",
    )
    parser.add_argument(
        "file", metavar="FILE", nargs="?", default="-", help="the log; - or nothing reads it from stdin"
    )
    parser.add_argument("--json", action="store_true", help="a JSON array instead of text")
    options = parser.parse_args(arguments)
    if options.file == "-":
        content = sys.stdin.buffer.read(MAX_LOG_BYTES + 1)
        if len(content) > MAX_LOG_BYTES:
            raise UserError(f"more than {MAX_LOG_BYTES} bytes on standard input, the most that is read here")
    else:
        content = read_file(options.file, MAX_LOG_BYTES)
    found = matching(content.decode("utf-8", "replace"))
    if options.json:
        print(json.dumps([hint._asdict() for hint in found], indent=1))
    else:
        print(
            "\n".join(f"{h.id}: {h.text()}" for h in found)
            or "nothing in this text is known; `npuninja doctor` looks further"
        )
    return 0
