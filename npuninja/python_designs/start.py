"""The process of a design: puts `site/` on the path, runs the script as Python would, and tells its errors.

    PYTHON -m npuninja.python_designs.start OPTIONS SCRIPT ARGUMENT…

It is started by `script.py`; the options are a JSON object (see `main`).
"""

from __future__ import annotations

import io
import json
import os
import sys
from types import TracebackType

from npuninja.own_bytecode import keep_only_own_bytecode

HERE = os.path.dirname(os.path.abspath(__file__))
SITE = os.path.join(HERE, "site")


def main(words: list[str]) -> int:
    """Runs a script; returns its exit code.

    Args:
        words: the options, the script, its arguments. Options are `generation`; `device` (or null); `print`:
            stop at the first module that would be compiled; `module`: the script's name as a module, when it
            is run as one (`python -m`); `report`: a file for the names of imported modules, and for the
            kernels and the flags of aiecc of the design's module.
    """
    options, script, *arguments = json.loads(words[0]), *words[1:]
    keep_only_own_bytecode()
    from npuninja.python_designs import running
    from npuninja.python_designs.construct.generation import set_generation

    set_generation(options["generation"])
    running.DEVICE = options.get("device")
    running.PRINTS_ONLY = bool(options.get("print"))
    if running.PRINTS_ONLY:
        # NumPy would start a thread per processor, a quarter of its import, for matrices no module needs.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from npuninja.python_designs.serving import serve

    serve()
    sys.path.insert(0, SITE)
    module = options.get("module") or ""
    sys.path.insert(0, package_root(os.path.abspath(script), module))
    sys.argv[:] = [script, *arguments]
    status = 0
    loaded = set(sys.modules)  # by us and by Python: no part of the design
    read: list[str] = []
    if options.get("report"):
        _note_files(read)
    printed, sys.stdout = sys.stdout, io.StringIO() if running.PRINTS_ONLY else sys.stdout
    try:
        status = _run(script, module)
    finally:
        if isinstance(sys.stdout, io.StringIO):
            printed.write(sys.stdout.getvalue())
        sys.stdout = printed
        sys.stdout.flush()
        if options.get("report"):
            files = [
                getattr(module, "__file__", None)
                for name, module in list(sys.modules.items())
                if name not in loaded
            ]
            with open(options["report"], "w", encoding="utf-8") as stream:
                json.dump(
                    {
                        "files": [f for f in (*files, *read) if f],
                        "kernels": running.KERNELS,
                        "flags": running.AIECC_FLAGS,
                    },
                    stream,
                )
    return status


def _note_files(read: list[str]) -> None:
    """Notes from now on which files the script opens to read: its module depends on them as on imports."""

    def note(event: str, given: tuple[object, ...]) -> None:
        if event == "open" and isinstance(given[0], str) and given[1] in ("r", "rb", "rt"):
            path = os.path.abspath(given[0])
            if path not in read:
                read.append(path)

    sys.addaudithook(note)


def package_root(script: str, module: str) -> str:
    """The folder that Python would search first: the script's own, or that of the package of `module`."""
    folder = os.path.dirname(script)
    if not module:
        return folder
    steps = module.count(".") + (os.path.basename(script) == "__main__.py")
    return os.path.normpath(os.path.join(folder, *[os.pardir] * steps))


def _run(script: str, module: str = "") -> int:
    import runpy

    from npuninja.python_designs.running import Printed

    try:
        if module:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(script, run_name="__main__")
    except Printed:
        return 0
    except SystemExit as stop:
        if stop.code is None or isinstance(stop.code, int):
            return stop.code or 0
        print(stop.code, file=sys.stderr)
        return 1
    except BaseException as error:
        return _tell(error, script)
    return 0


def _tell(error: BaseException, script: str) -> int:
    """Says what went wrong and where in the design; frames of ours only when NPUNINJA_TRACEBACK is set."""
    import traceback

    if os.environ.get("NPUNINJA_TRACEBACK"):
        traceback.print_exception(error)
        return 1
    own = os.path.dirname(HERE) + os.sep
    frames: list[traceback.FrameSummary] = []
    step: TracebackType | None = error.__traceback__
    for frame in traceback.extract_tb(step):
        library = (
            frame.filename.startswith(os.path.dirname(os.__file__)) and "site-packages" not in frame.filename
        )
        hidden = frame.filename.startswith((own, "<frozen")) or library
        if not hidden:
            frames.append(frame)
    place = frames[-1] if frames else None
    text = "".join(traceback.format_exception_only(type(error), error)).rstrip()
    if type(error).__module__.startswith("npuninja."):
        text = text.removeprefix(f"{type(error).__module__}.")
    if place is not None:
        file = os.path.relpath(place.filename)
        file = file if len(file) < len(place.filename) else place.filename
        print(f"{file}:{place.lineno}: error: {text}", file=sys.stderr)
        if place.line:
            print(f"  {place.line}", file=sys.stderr)
        for frame in reversed(frames[:-1]):
            print(
                f"{os.path.relpath(frame.filename)}:{frame.lineno}: note: called from here", file=sys.stderr
            )
    else:
        print(f"{script}: error: {text}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
