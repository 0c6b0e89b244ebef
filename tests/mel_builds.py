"""Built log-mel designs for tests, each made once in a test run: `manifest_of(name)`, `kernel_text(…)`."""

import atexit
import functools
import re
import tempfile
from pathlib import Path

from design_chain import ROOT, Chain
from wasm_build import WasmBuild

from npuninja.plan.python_design import run_python_design

KERNELS = ROOT / "kernels" / "mel"


def design_text(name):
    """The MLIR of a design, whatever it is written in."""
    script = ROOT / "mlir" / f"{name}.py"
    return (
        run_python_design(str(script), str(ROOT))[0]
        if script.exists()
        else (ROOT / "mlir" / f"{name}.mlir").read_text()
    )


@functools.cache
def _folder():
    folder = tempfile.TemporaryDirectory(prefix="npuninja-mel-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


@functools.cache
def manifest_of(name):
    """Builds a design; returns its manifest's path."""
    return Chain(WasmBuild(_folder(), _folder() / "cache"), name, design_text(name)).run()


def kernel_text(tables=None, replace=()):
    """The source of the 80-band kernel in one text, with other tables or with parts replaced."""
    parts = [(KERNELS / "mel_lanes.h").read_text(), tables or (KERNELS / "mel80_tables.h").read_text()]
    parts += [(KERNELS / "mel_kernel.h").read_text(), (KERNELS / "mel.c").read_text()]
    text = "#define LANES 1\n" + re.sub(r'#include "mel.*|#define LANES 1', "", "\n".join(parts))
    for old, new in replace:
        assert old in text, old
        text = text.replace(old, new)
    return text
