"""The files below /sys and /dev by which XRT finds the emulated NPU.

They never change, so they lie in the cache folder, one folder for each model and content; the preload library
leads a program's look-ups there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from npuninja.cache_files import cache_folder
from npuninja.xrt_emulation.models import NpuModel

#: Bus address of the emulated NPU; preload/paths.c has it too.
ADDRESS = "0000:c5:00.1"
_DEVICE = f"sys/devices/pci0000:00/{ADDRESS}"


def shown_files(model: NpuModel) -> Path:
    """A folder that stands for `/`, made when it is not there yet."""
    files = _files(model)
    digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:16]
    folder = cache_folder("shown") / f"{model.name}-{digest}"
    if not _is_whole(folder, files):
        if os.path.lexists(folder):  # what another process is making is put there whole
            _remove(folder)
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            root = Path(work) / "root"
            _write(root, files)
            try:
                root.rename(folder)
            except OSError:  # another process was faster
                if not folder.is_dir():
                    raise
    return folder


def _is_whole(folder: Path, files: dict[str, str]) -> bool:
    """Whether a folder is one that `_write` made."""
    try:
        said = all((folder / _DEVICE / name).read_text() == text for name, text in files.items())
        return said and (folder / "dev" / "accel" / "accel0").is_file() and not folder.is_symlink()
    except (OSError, ValueError):
        return False


def _remove(folder: Path) -> None:
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)
    else:
        folder.unlink(missing_ok=True)


def _files(model: NpuModel) -> dict[str, str]:
    return {
        "vendor": "0x1022\n",
        "device": f"0x{model.device_id:04x}\n",
        "revision": f"0x{model.revision:02x}\n",
        "subsystem_vendor": "0x1022\n",
        "subsystem_device": f"0x{model.device_id:04x}\n",
        "class": "0x118000\n",
        "vbnv": f"{model.vbnv}\n",
        "device_type": "0\n",  # AMDXDNA_DEV_TYPE_KMQ: the kernel queues commands
        "fw_version": ".".join(map(str, model.firmware)) + "\n",
        "link_width_max": "16\n",
        "link_speed_max": "16.0 GT/s PCIe\n",
        "link_width": "16\n",
        "link_speed": "16.0 GT/s PCIe\n",
    }


def _write(root: Path, files: dict[str, str]) -> None:
    device = root / _DEVICE
    (device / "accel" / "accel0").mkdir(parents=True)
    for name, text in files.items():
        (device / name).write_text(text)
    for link in (f"sys/bus/pci/drivers/amdxdna/{ADDRESS}", f"sys/bus/pci/devices/{ADDRESS}"):
        path = root / link
        path.parent.mkdir(parents=True)
        path.symlink_to(os.path.relpath(device, path.parent))
    (device / "driver").symlink_to("../../../bus/pci/drivers/amdxdna")
    node = root / "dev" / "accel" / "accel0"
    node.parent.mkdir(parents=True)
    node.touch()
