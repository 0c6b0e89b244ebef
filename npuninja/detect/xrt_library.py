"""XRT's library and headers, which host programs in C++ are built with."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator

from npuninja.detect.tool import Candidate, Proof, Surroundings, Tool, refusal
from npuninja.install.folder import tools_folder

_LIBRARY = "libxrt_coreutil.so*"
# Reads the name that the library has for programs linked with it, as the dynamic loader would; loading it here may fail
# because it wants a newer C library than this process has.
_PROOF = """
import re, sys
data = open(sys.argv[1], "rb").read()
names = re.findall(rb"libxrt_coreutil\\.so\\.(\\d+)\\0", data)
print("xrt_coreutil", names[0].decode() if data[:4] == b"\\x7fELF" and names else "unknown")
"""


def include_folder(library: str) -> str:
    """The folder with `xrt/xrt_device.h` that belongs to a library; "" when there is none."""
    folder = os.path.dirname(library)
    for up in ("..", "../.."):
        path = os.path.normpath(os.path.join(folder, up, "include"))
        if os.path.isfile(os.path.join(path, "xrt", "xrt_device.h")):
            return path
    return ""


def runner_of(library: str) -> str:
    """What starts programs that are linked with a library of `npuninja tools install xrt`; "" for another one."""
    path = os.path.normpath(os.path.join(os.path.dirname(library), "../../../bin/with-xrt"))
    return path if os.path.isfile(path) else ""


def _candidates(surroundings: Surroundings) -> Iterator[Candidate]:
    places: list[tuple[str, str]] = []
    for variable in ("XILINX_XRT", "XRT_ROOT"):
        root = surroundings.environment.get(variable)
        if root:
            places.append((os.path.join(root, "lib"), f"${variable}"))
    root = surroundings.system_root
    places.append((os.path.join(root, "opt/xilinx/xrt/lib"), "usual place"))
    places += [
        (folder, "usual place") for folder in sorted(glob.glob(os.path.join(root, "usr/lib/*-linux-gnu")))
    ]
    own = os.path.join(tools_folder(surroundings.environment), "xrt", "usr", "lib")
    places += [(folder, "npuninja tools") for folder in sorted(glob.glob(os.path.join(own, "*-linux-gnu")))]
    for folder, origin in places:
        for path in sorted(glob.glob(os.path.join(folder, _LIBRARY)), key=len):
            yield Candidate(path, origin)
            break


def _read(code: int, output: str) -> Proof:
    # xrt_coreutil 2
    match = re.search(r"xrt_coreutil (\d+)", output)
    if code or not match:
        return refusal(output, "it is not XRT's library")
    return Proof(version=match[1])


XRT_LIBRARY = Tool(
    name="xrt",
    purpose="build and run host programs that use XRT",
    remedy="npuninja tools install xrt, or install XRT with its headers",
    candidates=_candidates,
    command=lambda path, s: [s.python, "-S", "-E", "-c", _PROOF, path],
    read=_read,
    refuse=lambda path, s: "" if include_folder(path) else "its headers (xrt/xrt_device.h) are not there",
    pinned=lambda path: path,
)
