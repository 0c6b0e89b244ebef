"""`npuninja doctor`: this machine, rung by rung."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict

from npuninja.argument_parser import VerbParser
from npuninja.detect.cache import ProbeCache
from npuninja.detect.machine import detect, surroundings_of
from npuninja.diag.doctor import BUILD, NPU, examine, npu_ready, redacted, text
from npuninja.diag.machine import this_machine
from npuninja.errors import ToolError


def main(arguments: list[str]) -> int:
    """Runs the verb. Exit code 0 when designs can be built and run on the emulated array, else 3."""
    parser = VerbParser(
        prog="npuninja doctor",
        description="Looks at this machine, rung by rung, and says at the first broken one what to do. "
        "Home folders are not printed.",
    )
    parser.add_argument("--json", action="store_true", help="a JSON object instead of text")
    parser.add_argument(
        "--dispatch", metavar="MANIFEST", help="a built design to run on the NPU, as the last rung"
    )
    options = parser.parse_args(arguments)
    surroundings = surroundings_of(os.environ, {})
    with tempfile.TemporaryDirectory(prefix="npuninja-") as folder:
        # Nothing remembered counts here: every tool is asked again.
        toolchain = detect(surroundings, ProbeCache(os.path.join(folder, "probe_cache.json")))
    ladders = examine(surroundings, toolchain, this_machine(os.environ), options.dispatch)
    ladders = {part: [redacted(rung, os.environ) for rung in rungs] for part, rungs in ladders.items()}
    usable = not any(rung.verdict == "fail" for rung in ladders[BUILD])
    if options.json:
        rungs = [{"part": part, **asdict(rung)} for part, found in ladders.items() for rung in found]
        print(
            json.dumps(
                {"format": 1, "usable": usable, "npu": npu_ready(ladders[NPU]), "rungs": rungs}, indent=1
            )
        )
    else:
        print(text(ladders))
    return 0 if usable else ToolError.exit_code
