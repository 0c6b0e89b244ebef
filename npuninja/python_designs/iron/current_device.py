"""The device that a design is built for when it does not name one."""

from __future__ import annotations

from typing import Any

from npuninja.arch.families import DEFAULT
from npuninja.python_designs import running
from npuninja.python_designs.iron.device import DEVICES, Device, from_name

_current: Device | None = None


def set_current_device(device: Any) -> None:
    """Makes a device the current one; None takes it back."""
    global _current
    _current = device() if isinstance(device, type) else device


def get_current_device(*, probe_runtime: bool = True) -> Device | None:
    """The device that was set, else that of `--device`, else the emulated NPU of the first generation."""
    if _current is not None or not probe_runtime:
        return _current
    return from_name(running.DEVICE or DEFAULT, n_cols=None)


def ensure_current_device() -> Device | None:
    """As `get_current_device`, which it also sets."""
    global _current
    _current = get_current_device()
    return _current


def detect_npu_device() -> Device:
    """The machine's NPU, or the emulated one."""
    found = get_current_device()
    return DEVICES[DEFAULT.upper()]() if found is None else found
