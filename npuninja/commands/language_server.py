"""`npuninja language-server`: designs in editors, over standard input and output."""

from __future__ import annotations

from npuninja.argument_parser import VerbParser
from npuninja.errors import ToolError


def main(arguments: list[str]) -> int:
    """Runs the verb until the editor ends it; returns the exit code."""
    parser = VerbParser(
        prog="npuninja language-server",
        description="A language server for designs in MLIR, on standard input and output: errors and "
        "warnings while one types, what becomes of a name in the lowering, the C function "
        "of a call. Editors start it.",
    )
    parser.parse_args(arguments)
    try:
        from npuninja.language_server.server import make_server
    except ImportError as error:
        raise ToolError(
            "the Python package pygls is missing", hint="pip install 'npuninja[editor]'"
        ) from error
    try:
        make_server().start_io()
    except MemoryError as error:
        raise ToolError(
            "a message is longer than there is memory for",
            hint="the editor's end of the connection is damaged",
        ) from error
    return 0
