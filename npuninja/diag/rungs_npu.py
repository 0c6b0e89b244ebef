"""The ladder from the PCI bus to XRT: each rung needs those before it; the first broken one ends it.

Sources: the amdxdna driver (names in sysfs, firmware files), XRT's module loader (where it looks for
    drivers), public reports of what breaks (docs/troubleshooting.md).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from npuninja.arch.families import FAMILIES
from npuninja.detect.pyxrt_import import MEMLOCK_NEEDED_BYTES
from npuninja.diag.machine import MachineFacts
from npuninja.diag.rung import Rung
from npuninja.hints import matching

#: (vendor, device) -> family of `aie.device`, and what it is sold as.
NPUS = {
    ("0x1022", f"0x{family.driver.pci_device:04x}"): (family.name, family.products)
    for family in FAMILIES.values()
}
_PCI = "sys/bus/pci/devices"
_MODULE = "amdxdna"
OLDEST_KERNEL = (6, 14)  # the first with the module
LIBRARY_FOLDERS = ("opt/xilinx/xrt/lib", "usr/lib/x86_64-linux-gnu", "usr/lib64", "usr/lib", "usr/local/lib")
_CONTAINER_MARKS = (".dockerenv", "run/.containerenv")


def npu_ladder(machine: MachineFacts) -> list[Rung]:
    """The rungs up to the first broken one."""
    rungs: list[Rung] = []
    for step in (
        _system,
        _pci,
        _module,
        _driver,
        _firmware,
        _kernel_log,
        _node,
        _permission,
        _locked_memory,
        _xrt,
        _shim,
    ):
        rungs += step(machine)
        if rungs and rungs[-1].broken:
            break
    return rungs


def _system(machine: MachineFacts) -> Iterator[Rung]:
    """WSL has no NPU; a container has what it was given."""
    release = machine.read("proc/sys/kernel/osrelease") or ""
    if "microsoft" in release.lower():
        fix = "build here, and run the files with XRT on Windows; or run them here with --device emu"
        yield Rung("system", "absent", f"WSL ({release}): the NPU cannot be reached from it", fix)
    elif in_container(machine):
        yield Rung("system", "ok", f"a container, Linux {release or 'of unknown release'}")
    elif release:
        yield Rung("system", "ok", f"Linux {release}")
    else:
        yield Rung("system", "unknown", "proc/sys/kernel/osrelease cannot be read")


def in_container(machine: MachineFacts) -> bool:
    """Whether the processes here see a container's files."""
    groups = machine.read("proc/1/cgroup") or ""
    marked = any(machine.exists(mark) for mark in _CONTAINER_MARKS)
    return marked or re.search(r"docker|lxc|kubepods|containerd", groups) is not None


def _npu_addresses(machine: MachineFacts) -> list[tuple[str, str, str]]:
    """PCI address, family and name of each NPU."""
    found = []
    for address in machine.names(_PCI) or []:
        key = (machine.read(_PCI, address, "vendor") or "", machine.read(_PCI, address, "device") or "")
        if key in NPUS:
            found.append((address, *NPUS[key]))
    return found


def _pci(machine: MachineFacts) -> Iterator[Rung]:
    if machine.names(_PCI) is None:
        yield Rung("NPU on the PCI bus", "unknown", f"/{_PCI} cannot be read")
        return
    found = _npu_addresses(machine)
    if found:
        yield Rung(
            "NPU on the PCI bus", "ok", "; ".join(f"{a}: {family} ({name})" for a, family, name in found)
        )
        return
    ids = ", ".join(f"{vendor[2:]}:{device[2:]}" for vendor, device in NPUS)
    fix = (
        "if this processor has one, switch it on in the firmware setup (IPU or NPU); a virtual machine "
        "needs it passed through. Without one, everything runs with --device emu"
    )
    yield Rung("NPU on the PCI bus", "absent", f"no device {ids}", fix)


def _module_files(machine: MachineFacts, release: str) -> list[str]:
    """The files of the module for a kernel, best first: an added one replaces the kernel's own."""
    base = f"lib/modules/{release}"
    found = []
    for folder in ("updates/dkms", "updates", "extra", "kernel/drivers/accel/amdxdna"):
        found += machine.find(os.path.join(base, folder), f"{_MODULE}.ko*")
    return found


def _module(machine: MachineFacts) -> Iterator[Rung]:
    release = machine.read("proc/sys/kernel/osrelease") or ""
    files = _module_files(machine, release)
    origin = ""
    if files:
        kind = "the kernel's own" if "/kernel/" in files[0] else "added to the kernel (DKMS or by hand)"
        origin = f", {kind}: /{files[0]}"
    if machine.exists("sys/module", _MODULE):
        version = machine.read("sys/module", _MODULE, "version")
        yield Rung("kernel module", "ok", f"{_MODULE} {version or ''}".rstrip() + f" is loaded{origin}")
        return
    if _blacklisted(machine):
        yield Rung(
            "kernel module",
            "absent",
            f"{_MODULE} is blacklisted in {_blacklisted(machine)}",
            "remove that line",
        )
        return
    if files:
        yield Rung(
            "kernel module",
            "absent",
            f"{_MODULE} is there and not loaded{origin}",
            f"sudo modprobe {_MODULE}",
        )
        return
    number = re.match(r"(\d+)\.(\d+)", release)
    old = number is not None and (int(number[1]), int(number[2])) < OLDEST_KERNEL
    fix = "install the package amdxdna-dkms" + (", or Linux 6.14 or newer, which has it" if old else "")
    if in_container(machine):
        fix = "load it on the host: a container uses the host's kernel"
    yield Rung("kernel module", "absent", f"there is no {_MODULE} for Linux {release or '(unknown)'}", fix)


def _blacklisted(machine: MachineFacts) -> str:
    for folder in ("etc/modprobe.d", "usr/lib/modprobe.d"):
        for path in machine.find(folder, "*.conf"):
            if re.search(rf"^\s*blacklist\s+{_MODULE}\b", machine.read(path) or "", re.MULTILINE):
                return f"/{path}"
    return ""


def _driver(machine: MachineFacts) -> Iterator[Rung]:
    for address, _, _ in _npu_addresses(machine):
        if not machine.exists(_PCI, address, "driver"):
            meanings = _log_meanings(machine)
            fix = meanings[0] if meanings else f"look for {_MODULE} in `sudo dmesg`"
            yield Rung("driver", "absent", f"{_MODULE} is loaded and does not drive {address}", fix)
            return
        yield Rung("driver", "ok", f"{_MODULE} drives {address}")


def _firmware(machine: MachineFacts) -> Iterator[Rung]:
    for address, _, _ in _npu_addresses(machine):
        loaded = machine.read(_PCI, address, "fw_version")
        device = (machine.read(_PCI, address, "device") or "")[2:]
        files = [f for folder in machine.names("lib/firmware/amdnpu") or [] if folder.startswith(device)
                 for f in machine.find(f"lib/firmware/amdnpu/{folder}", "npu*.sbin*")]  # fmt: skip
        where = f", file /{files[-1]}" if files else ""
        if loaded:
            yield Rung("firmware", "ok", f"{loaded} is loaded{where}")
        elif files:
            yield Rung("firmware", "ok", f"/{files[-1]}")
        else:
            text = f"there is no file npu*.sbin in /lib/firmware/amdnpu/{device}_*"
            yield Rung(
                "firmware", "warn", text, "install the package linux-firmware, of the kernel's age or newer"
            )


def _log_meanings(machine: MachineFacts) -> list[str]:
    lines = [line for line in (machine.kernel_log or "").splitlines() if _MODULE in line]
    return [hint.text() for hint in matching("\n".join(lines), "kernel")]


def _kernel_log(machine: MachineFacts) -> Iterator[Rung]:
    """What the driver has complained of since the start."""
    if machine.kernel_log is None:
        yield Rung(
            "kernel log",
            "unknown",
            "it may not be read",
            "`sudo dmesg | npuninja explain` looks for known errors",
        )
        return
    meanings = _log_meanings(machine)
    if meanings:
        yield Rung("kernel log", "absent", "the driver reports an error", "; ".join(meanings))
    else:
        yield Rung("kernel log", "ok", f"no known error of {_MODULE}")


def _nodes(machine: MachineFacts) -> list[str]:
    return machine.find("dev/accel", "accel[0-9]*")


def _node(machine: MachineFacts) -> Iterator[Rung]:
    if _nodes(machine):
        yield Rung("device node", "ok", ", ".join(f"/{node}" for node in _nodes(machine)))
        return
    fix = "look for amdxdna in `sudo dmesg`; the kernel needs CONFIG_DRM_ACCEL"
    if in_container(machine):
        fix = "give it to the container: `--device /dev/accel/accel0`, and `--ulimit memlock=-1`"
    yield Rung("device node", "absent", "there is no /dev/accel/accel0", fix)


def _permission(machine: MachineFacts) -> Iterator[Rung]:
    node = next((n for n in _nodes(machine) if machine.usable(n)), None)
    if node:
        yield Rung("permission", "ok", f"/{node} may be opened")
        return
    fix = (
        "add yourself to the group that owns it (`ls -l /dev/accel`, usually render: "
        "`sudo usermod -aG render $USER`) and "
    )
    yield Rung("permission", "absent", f"/{_nodes(machine)[0]} may not be opened", fix + "log in again")


def _locked_memory(machine: MachineFacts) -> Iterator[Rung]:
    """Too small a limit makes the first buffer fail with EAGAIN, and the NPU looks absent."""
    limit = machine.locked_memory_bytes
    if limit is None:
        yield Rung("locked memory", "ok", "no limit")
    elif limit >= MEMLOCK_NEEDED_BYTES:
        yield Rung(
            "locked memory",
            "warn",
            f"limited to {limit} bytes",
            "large buffers may fail; set memlock to unlimited",
        )
    else:
        fix = (
            "put `* - memlock unlimited` into /etc/security/limits.d/npu.conf (on Fedora: `systemctl edit "
            "user@.service`, [Service] LimitMEMLOCK=infinity) and log in again"
        )
        text = f"limited to {limit} bytes, the driver needs {MEMLOCK_NEEDED_BYTES}"
        yield Rung("locked memory", "absent", text, fix)


def _libraries(machine: MachineFacts, name: str) -> list[str]:
    """The files of a library, those of $XILINX_XRT first; only those with a version in their name say one."""
    folders = list(LIBRARY_FOLDERS)
    chosen = machine.environment.get("XILINX_XRT")
    if chosen:
        folders.insert(0, os.path.join(chosen.lstrip(os.sep), "lib"))
    return [path for folder in folders for path in machine.find(folder, f"{name}.so", f"{name}.so.*")]


def _version(machine: MachineFacts, paths: list[str]) -> str:
    """From the longest name (`libxrt_coreutil.so.2.25.0`), else from XRT's version.json beside the folder."""
    for path in paths:
        match = re.search(r"\.so\.(\d+\.\d+(?:\.\d+)*)$", path)
        if match:
            return match[1]
    text = machine.read(os.path.dirname(os.path.dirname(paths[0])), "version.json") or ""
    match = re.search(r'"BUILD_VERSION"\s*:\s*"([\d.]+)"', text)
    return match[1] if match else ""


def _xrt(machine: MachineFacts) -> Iterator[Rung]:
    mode = machine.environment.get("XCL_EMULATION_MODE")
    if mode:
        fix = "unset XCL_EMULATION_MODE; npuninja's emulated array needs no XRT"
        yield Rung("XRT", "absent", f"XCL_EMULATION_MODE={mode} makes XRT emulate another card", fix)
        return
    paths = _libraries(machine, "libxrt_coreutil")
    if paths:
        yield Rung(
            "XRT", "ok", f"{_version(machine, paths) or 'of unknown version'} (/{os.path.dirname(paths[0])})"
        )
    else:
        yield Rung(
            "XRT",
            "absent",
            "there is no libxrt_coreutil",
            "install XRT (package libxrt2, or /opt/xilinx/xrt)",
        )


def _shim(machine: MachineFacts) -> Iterator[Rung]:
    """XRT loads its drivers from its own folder only."""
    core = _libraries(machine, "libxrt_coreutil")
    folder = os.path.dirname(core[0])
    paths = machine.find(folder, "libxrt_driver_xdna.so*")
    if not paths:
        fix = "install the NPU plug-in of the same release (package libxrt-npu2, or xrt_plugin-amdxdna)"
        yield Rung("XRT's NPU plug-in", "absent", f"there is no libxrt_driver_xdna in /{folder}", fix)
        return
    ours, theirs = _version(machine, paths), _version(machine, core)
    if ours and theirs and _release(ours) != _release(theirs):
        fix = "install both from one release; they share structures that change"
        yield Rung("XRT's NPU plug-in", "absent", f"{ours}, XRT is {theirs}", fix)
    else:
        yield Rung("XRT's NPU plug-in", "ok", f"{ours or 'of unknown version'} (/{paths[0]})")


def _release(version: str) -> list[str]:
    return version.split(".")[:2]
