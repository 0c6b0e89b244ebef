"""XRT's library and headers, which host programs in C++ are built with."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator

from npuninja.detect.tool import Candidate, Surroundings, Tool, version_in
from npuninja.install.folder import tools_folder

_LIBRARY = "libxrt_coreutil.so*"
# Reads the library's name for programs linked with it, as the dynamic loader would; loading it here may fail
# because it wants a newer C library than this process has.
_PROOF = """
import re, sys
data = open(sys.argv[1], "rb").read()
names = re.findall(rb"libxrt_coreutil\\.so\\.(\\d+)\\0", data)
print("xrt_coreutil", names[0].decode() if data[:4] == b"\\x7fELF" and names else "unknown")
"""


def _include_folder(library: str) -> str:
    """The folder with `xrt/xrt_device.h` that belongs to a library; "" when there is none."""
    folder = os.path.dirname(library)
    for up in ("..", "../.."):
        path = os.path.normpath(os.path.join(folder, up, "include"))
        if os.path.isfile(os.path.join(path, "xrt", "xrt_device.h")):
            return path
    return ""


def _runner(library: str) -> str:
    """What starts programs linked with a library of `npuninja tools install xrt`; "" for another one."""
    path = os.path.normpath(os.path.join(os.path.dirname(library), "../../../bin/with-xrt"))
    return path if os.path.isfile(path) else ""


def folders_of_xrt(surroundings: Surroundings, *names: str) -> list[tuple[str, str]]:
    """XRT's folders with their origins: the environment's, then the first where AMD's installer puts XRT."""
    found = []
    for variable in ("XILINX_XRT", "XRT_ROOT"):
        root = surroundings.environment.get(variable)
        found += [(os.path.join(root, name), f"${variable}") for name in names] if root else []
    return [*found, (os.path.join(surroundings.system_root, "opt/xilinx/xrt", names[0]), "usual place")]


def _candidates(surroundings: Surroundings) -> Iterator[Candidate]:
    places = folders_of_xrt(surroundings, "lib")
    usual = os.path.join(surroundings.system_root, "usr/lib/*-linux-gnu")
    places += [(folder, "usual place") for folder in sorted(glob.glob(usual))]
    own = os.path.join(tools_folder(surroundings.environment), "xrt", "usr", "lib")
    places += [(folder, "npuninja tools") for folder in sorted(glob.glob(os.path.join(own, "*-linux-gnu")))]
    for folder, origin in places:
        for path in sorted(glob.glob(os.path.join(folder, _LIBRARY)), key=len):
            yield Candidate(path, origin)
            break


XRT_LIBRARY = Tool(
    name="xrt",
    purpose="build and run host programs that use XRT",
    remedy="npuninja tools install xrt, or install XRT with its headers",
    candidates=_candidates,
    command=lambda path, s: [s.python, "-S", "-E", "-c", _PROOF, path],
    # xrt_coreutil 2
    read=version_in(r"xrt_coreutil (\d+)", "it is not XRT's library"),
    beside=lambda path: {"include": _include_folder(path), "runner": _runner(path)},
    refuse=lambda path, s: "" if _include_folder(path) else "its headers (xrt/xrt_device.h) are not there",
)
