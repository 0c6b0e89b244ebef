"""Finding the machine's NPU from Python: device node, limits, and XRT's Python binding, imported by its path.

pyxrt is part of XRT and never installed by us. It is looked for where XRT puts it and imported from there, so
that neither PYTHONPATH nor a virtual environment decides which one it is.
"""

from __future__ import annotations

import glob
import importlib.machinery
import importlib.util
import os
import re
import shutil
import sys
from types import ModuleType

from npuninja.errors import NoDevice
from npuninja.install.folder import installed_program
from npuninja.records import NamedTuple

ACCEL_NODES = "/dev/accel/accel*"  # made by the amdxdna driver
# Where Debian's and Fedora's packages put it; `$XILINX_XRT/python` and /opt/xilinx/xrt/python are XRT's own.
SYSTEM_FOLDERS = (
    "/opt/xilinx/xrt/python",
    "/usr/lib/python3/dist-packages",
    "/usr/lib64/python3/site-packages",
)
MEMLOCK_NEEDED_BYTES = (
    64 << 20
)  # the driver pins the device's heap, 64 MiB (AIE2_DEVM_SIZE), before anything else


class OtherPyxrt(NamedTuple):
    """A pyxrt for another Python: its path, and the path of such a Python."""

    pyxrt: str
    python: str


def _folders() -> list[str]:
    folders = [os.path.join(os.environ["XILINX_XRT"], "python")] if os.environ.get("XILINX_XRT") else []
    return [*folders, *SYSTEM_FOLDERS]


def find_other_pyxrt() -> OtherPyxrt | None:
    """A pyxrt for another Python of this machine: XRT's own, or that of `npuninja tools install xrt`."""
    own = os.path.dirname(os.path.dirname(installed_program(os.environ, "xrt", "python3")))
    for folder in [*_folders(), os.path.join(own, "usr", "lib", "python3", "dist-packages")]:
        for path in sorted(glob.glob(os.path.join(glob.escape(folder), "pyxrt.cpython-*.so"))):
            match = re.match(r"pyxrt\.cpython-3(\d+)-", os.path.basename(path))
            if match is None:
                continue
            name = f"python3.{match[1]}"
            of_this_folder = (
                installed_program(os.environ, "xrt", name) if folder.startswith(own + os.sep) else None
            )
            python = of_this_folder or shutil.which(name)
            if python and os.access(python, os.X_OK):
                return OtherPyxrt(path, python)
    return None


def find_pyxrt() -> str:
    """The path of a pyxrt that this interpreter can load.

    Raises:
        NoDevice: there is none; the message lists every one that was found and why it does not fit.
    """
    folders = _folders()
    suffixes = (*importlib.machinery.EXTENSION_SUFFIXES, ".py")
    refused = []
    for folder in folders:
        for path in sorted(glob.glob(os.path.join(glob.escape(folder), "pyxrt*"))):
            name = os.path.basename(path)
            if name in {"pyxrt" + suffix for suffix in suffixes}:
                return path
            if name.endswith((".so", ".pyd")):
                refused.append(
                    (f"{path} is for another Python than this one ({sys.implementation.cache_tag})", None)
                )
    raise NoDevice(
        "XRT's Python binding (pyxrt) was not found, so the NPU cannot be used from here",
        notes=(*refused, (f"looked for pyxrt{suffixes[0]} in " + ", ".join(folders), None)),
        hint="install XRT with its Python binding, or run this with the Python that XRT was built for; "
        "set XILINX_XRT if XRT is elsewhere",
    )


def import_pyxrt(path: str) -> ModuleType:
    """Loads pyxrt from `path`.

    Raises:
        NoDevice: it does not load (a library of XRT is missing, or it is of another XRT).
    """
    if "pyxrt" in sys.modules and getattr(sys.modules["pyxrt"], "__file__", None) == path:
        return sys.modules["pyxrt"]  # an extension module can be loaded only once
    spec = importlib.util.spec_from_file_location("pyxrt", path)
    if spec is None or spec.loader is None:
        raise NoDevice(f"{path} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        raise NoDevice(
            f"{path} does not load: {error}",
            hint="XRT's libraries and its Python binding must come from one installation",
        ) from error
    sys.modules["pyxrt"] = module
    return module


def check_node(needs_locked_memory: bool = True) -> None:
    """Sees to it that the driver is there and this user may use it.

    Args:
        needs_locked_memory: whether the driver pins memory, as that of a real NPU does.

    Raises:
        NoDevice: with the first rung that fails: no device node, no permission, too little lockable memory.
    """
    nodes = glob.glob(ACCEL_NODES)
    if not nodes:
        raise NoDevice(
            f"no NPU: there is no {ACCEL_NODES}",
            hint="the amdxdna driver makes it when it finds an NPU; `npuninja doctor` looks further",
        )
    if not any(os.access(node, os.R_OK | os.W_OK) for node in nodes):
        raise NoDevice(
            f"no permission for {nodes[0]}",
            hint="add the user to the group that owns it (`ls -l`), usually render",
        )
    if not needs_locked_memory:
        return
    import resource  # not on every system, but wherever there is a device node

    limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
    if limit != resource.RLIM_INFINITY and limit < MEMLOCK_NEEDED_BYTES:
        raise NoDevice(
            f"only {limit} bytes of memory may be locked, the NPU's driver needs {MEMLOCK_NEEDED_BYTES}",
            hint="`ulimit -l unlimited`, or set memlock in /etc/security/limits.d/",
        )
