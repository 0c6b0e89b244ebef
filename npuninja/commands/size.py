"""`npuninja size FOLDER…`: the memory of every tile of built designs."""

from __future__ import annotations

import json
import os
from typing import Sequence

from npuninja.argument_parser import VerbParser
from npuninja.configure.built import build_of, designs_of, meant_folder, read_graph
from npuninja.diag.size import table
from npuninja.report.tile_memory import measure


def main(arguments: Sequence[str]) -> int:
    """Runs `npuninja size`; returns its exit code."""
    parser = VerbParser(
        prog="npuninja size",
        description="The memory of every tile of built designs. `200+ of 1024` in the column stack: the "
        "program needs 200 bytes or more (calls by pointer and spilled registers are not known) "
        "of the 1024 that stack_size gives it. `~`: an emulated core's program, estimated for "
        "an NPU. `behind`: left behind the last buffer, where the kernels' data goes.",
    )
    parser.add_argument(
        "folders",
        metavar="FOLDER",
        nargs="*",
        help="as build/npu1_1col/wasm/passthrough, or the name of a design here (default: all of them)",
    )
    parser.add_argument("--json", action="store_true", help="a JSON object instead of text")
    options = parser.parse_args(arguments)
    folders = [meant_folder(word) for word in options.folders or designs_of(read_graph(build_of()))]
    designs = {folder: measure(folder) for folder in folders}
    if options.json:
        content = {
            folder: [{**tile._asdict(), "problems": tile.problems()} for tile in tiles]
            for folder, tiles in designs.items()
        }
        print(json.dumps({"format": 1, "designs": content}, indent=1))
    else:
        print(
            "\n\n".join(table(os.path.basename(os.path.normpath(f)), tiles) for f, tiles in designs.items())
        )
    return 0
