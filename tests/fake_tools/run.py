"""Starts one pretended program: `python -S -E run.py TOOL RELEASE PROGRAM ARGUMENT…`."""

from __future__ import annotations

import os
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[0:1] = [TESTS, os.path.dirname(TESTS)]

from fake_tools import drivers, mlir_tools, packers, peano  # noqa: E402
from fake_tools.releases import RELEASES  # noqa: E402
from npuninja.errors import Error  # noqa: E402


def main(tool: str, release: str, program: str, arguments: list[str]) -> int:
    """Runs one tool; returns its exit code."""
    try:
        if tool == "aie-opt":
            mlir_tools.aie_opt(arguments, RELEASES[release])
        elif tool == "aie-translate":
            mlir_tools.aie_translate(arguments, RELEASES[release])
        elif tool == "aiecc":
            drivers.aiecc(program, arguments, RELEASES[release])
        elif tool == "llc":
            peano.llc(arguments, release)
        elif tool == "opt":
            peano.opt(arguments)
        elif tool == "clang":
            peano.clang(program, arguments)
        elif tool == "bootgen":
            packers.bootgen(arguments)
        elif tool == "xclbinutil":
            packers.xclbinutil(arguments, release)
        else:
            raise mlir_tools.Refused(f"{program} is not meant to be started")
    except mlir_tools.Refused as refused:
        return mlir_tools.complain(str(refused))
    except Error as error:
        return mlir_tools.complain(error.render())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]))
