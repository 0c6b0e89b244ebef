"""The process of a design that is printed by MLIR-AIE's own bindings: runs the script as Python would, and reports what
it has imported.

    PYTHON bindings_process.py REPORT SCRIPT ARGUMENT…

It is started by its path, with the Python that the bindings are for, and imports nothing of npuninja.
"""

import json
import os
import runpy
import sys


def main() -> None:
    """Runs the script; its exit code and its errors are Python's own."""
    report, script, *arguments = sys.argv[1:]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    sys.argv[:] = [script, *arguments]
    try:
        runpy.run_path(script, run_name="__main__")
    finally:
        files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
        with open(report, "w", encoding="utf-8") as stream:
            json.dump({"files": [f for f in files if f], "kernels": [], "flags": []}, stream)


if __name__ == "__main__":
    main()
