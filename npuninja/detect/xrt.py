"""XRT: `xclbinutil`, which packs XCLBINs, and `pyxrt`, which runs them on an NPU."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES

from npuninja.detect.tool import Candidate, Proof, Surroundings, Tool, in_folder, refusal, version_in
from npuninja.detect.xrt_library import folders_of_xrt
from npuninja.install.folder import installed_program


def _xclbinutil_candidates(surroundings: Surroundings) -> Iterator[Candidate]:
    yield from surroundings.below("XILINX_XRT", "bin", "xclbinutil")
    yield from surroundings.below("XRT_ROOT", "bin", "xclbinutil")
    # An XRT there without the tool is one for running only: named, so that the summary says so.
    if os.path.isdir(os.path.join(surroundings.system_root, "opt", "xilinx", "xrt")):
        yield Candidate(
            os.path.join(surroundings.system_root, "opt/xilinx/xrt/bin/xclbinutil"), "usual place"
        )
    own = installed_program(surroundings.environment, "xclbinutil", "xclbinutil")
    if os.path.isfile(own):
        yield Candidate(own, "npuninja tools")
    yield from surroundings.in_system("usr", "bin", "xclbinutil")
    yield from surroundings.on_path("xclbinutil")


XCLBINUTIL = Tool(
    name="xclbinutil",
    purpose="make XCLBINs with the reference tool",
    remedy="npuninja tools install xclbinutil, or install XRT 2.16 or newer",
    candidates=_xclbinutil_candidates,
    command=lambda path, s: [path, "--version"],
    #        XRT Build Version: 2.25.00
    #        Build Version Branch: master
    # Debian 12 has a wrapper of this name whose program is missing, so only what it prints counts.
    read=version_in(r"XRT Build Version: (\d+(?:\.\d+)+)", "it does not print an XRT version"),
    pinned=in_folder("bin", "xclbinutil"),
    lacks="there is no such file: an XRT for running only has no xclbinutil",
)

# Imports the file it is given and nothing else; a crash of the library ends the child only.
_IMPORT = """
import importlib.machinery, importlib.util, sys
loader = importlib.machinery.ExtensionFileLoader("pyxrt", sys.argv[1])
module = importlib.util.module_from_spec(importlib.util.spec_from_loader("pyxrt", loader))
loader.exec_module(module)
print("pyxrt imported,", "hw_context" if hasattr(module, "hw_context") else "no hw_context")
"""


def _pyxrt_candidates(surroundings: Surroundings) -> Iterator[Candidate]:
    folders = folders_of_xrt(surroundings, "python", "lib")
    folders += [(os.path.join(surroundings.system_root, "usr/lib/python3/dist-packages"), "usual place")]
    folders += [(folder, "Python package") for folder in surroundings.package_folders]
    seen = set()
    for folder, origin in folders:
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        for name in names:
            path = os.path.join(folder, name)
            if name.startswith("pyxrt.") and name.endswith(".so") and os.path.realpath(path) not in seen:
                seen.add(os.path.realpath(path))
                yield Candidate(path, origin)


def _refuse_pyxrt(path: str, surroundings: Surroundings) -> str:
    """An extension module's name has the Python it is for: `pyxrt.cpython-314-x86_64-linux-gnu.so`."""
    name, dot, suffix = os.path.basename(path).partition(".")
    if dot + suffix in EXTENSION_SUFFIXES:
        return ""
    if name != "pyxrt" or not suffix.endswith("so"):
        return "it is not called pyxrt.….so"
    return f"built for {suffix.split('.')[0]}, this Python wants {EXTENSION_SUFFIXES[0].split('.')[1]}"


def _read_pyxrt(code: int, output: str) -> Proof:
    # pyxrt imported, hw_context
    if code < 0:
        return Proof(reason=f"importing it crashed with signal {-code}")
    if code or "pyxrt imported" not in output:
        return refusal(output, "it cannot be imported")
    if "no hw_context" in output:
        return Proof(reason="it is too old: it has no hw_context, which XRT has since 2.14")
    return Proof(version="hw_context")


PYXRT = Tool(
    name="pyxrt",
    purpose="run on a real NPU",
    remedy="install XRT with its Python binding for this Python",
    candidates=_pyxrt_candidates,
    command=lambda path, s: [s.python, "-E", "-s", "-c", _IMPORT, path],
    read=_read_pyxrt,
    refuse=_refuse_pyxrt,
)
