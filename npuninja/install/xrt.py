"""XRT with the Python it was built for: what makes Debian's packages of it a folder that works by itself."""

from __future__ import annotations

import glob
import os

from npuninja.errors import ToolError
from npuninja.install.folder import launch_in_place, proved, write_launcher, write_runner

#: The runtime, its driver for NPUs, its Python binding (and NumPy, for `bo.read`), xrt-smi, headers for C++.
PACKAGES = (
    "libxrt2",
    "libxrt-npu2",
    "python3-xrt",
    "python3-numpy",
    "libxrt-utils",
    "libxrt-dev",
    "uuid-dev",
)

_PROOF = """
import numpy, pyxrt, sys
assert pyxrt.enumerate_devices() >= 0 and hasattr(pyxrt, "hw_context")
print("pyxrt for Python", ".".join(map(str, sys.version_info[:2])))
"""


def finish_xrt(root: str) -> str:
    """Makes in the unpacked packages `bin/python` and `bin/python3`, whose `import pyxrt` works,
    `bin/xrt-smi`, and `bin/with-xrt`, which starts programs linked with XRT; returns XRT's version.

    Raises:
        ToolError: the packages lack something, or pyxrt does not import.
    """
    # Static libraries are two thirds of the size, and nobody links XRT statically.
    for archive in glob.glob(os.path.join(root, "usr", "lib", "*", "lib*.a")):
        os.unlink(archive)
    # Debian chooses among several BLAS when it configures the packages; here is one.
    for library in glob.glob(os.path.join(root, "usr", "lib", "*", "*", "lib*.so.3")):
        folder, name = os.path.split(library)
        if os.path.basename(folder) in ("blas", "lapack"):
            os.symlink(
                os.path.join(os.path.basename(folder), name), os.path.join(os.path.dirname(folder), name)
            )
    programs = glob.glob(os.path.join(root, "usr", "bin", "python3.[0-9]*[0-9]"))
    if len(programs) != 1:
        raise ToolError(f"the packages have {len(programs)} Pythons, expected one")
    python = os.path.relpath(programs[0], root)
    launch_in_place(root, python)
    os.makedirs(os.path.join(root, "bin"), exist_ok=True)
    for name in ("python", "python3", os.path.basename(python)):
        os.symlink(os.path.join(os.pardir, python), os.path.join(root, "bin", name))
    write_launcher(root, "usr/bin/xrt-smi")
    write_runner(root, "with-xrt")
    command = [os.path.join(root, "bin", "python3"), "-I", "-c", _PROOF]
    said = " ".join(proved("pyxrt", command))
    #    libxrt_coreutil.so.2.25.00
    libraries = sorted(glob.glob(os.path.join(root, "usr", "lib", "*", "libxrt_coreutil.so.*.*")))
    if not libraries:
        raise ToolError("the packages have no libxrt_coreutil")
    return f"{os.path.basename(libraries[-1]).partition('.so.')[2]} ({said})"
