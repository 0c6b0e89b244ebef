"""Runs a design's script with MLIR-AIE's own bindings, as Python would, and reports what it has imported.

    PYTHON bindings_process.py REPORT FOLDER MODULE SCRIPT ARGUMENT…

FOLDER is searched for modules first; MODULE is the script's name as a module under `python -m`, else "".
This file is started by its path, with the Python that the bindings are for, and imports nothing of npuninja.
"""

import json
import runpy
import sys
import traceback


def main() -> None:
    """Runs the script; its exit code and its errors are Python's own, without the frames that started it."""
    report, folder, module, script, *arguments = sys.argv[1:]
    sys.path[0] = folder
    sys.dont_write_bytecode = True  # it would change folders that Ninja watches for new designs
    sys.argv[:] = [script, *arguments]
    try:
        if module:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(script, run_name="__main__")
    except Exception as error:
        step = error.__traceback__
        ours = (__file__, "<frozen runpy", runpy.__file__)  # runpy is frozen from Python 3.11 on
        while step is not None and step.tb_frame.f_code.co_filename.startswith(ours):
            step = step.tb_next
        traceback.print_exception(type(error), error, step or error.__traceback__)
        sys.exit(1)
    finally:
        files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
        with open(report, "w", encoding="utf-8") as stream:
            json.dump({"files": [f for f in files if f], "kernels": [], "flags": []}, stream)


if __name__ == "__main__":
    main()
