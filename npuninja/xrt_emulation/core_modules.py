"""Modules of wasm cores, from the XCLBINs that programs open. A PDI names them by their hash."""

from __future__ import annotations

import mmap
import threading

from npuninja.errors import Error
from npuninja.formats.emulation_data import read_emulation_data
from npuninja.formats.xclbin import EMULATION_DATA, read_xclbin

#: XCLBINs to remember, the latest ones.
_KEPT = 64


class CoreModules:
    """What was seen so far. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: list[dict[bytes, bytes]] = []

    def add(self, descriptor: int) -> None:
        """Takes the modules of an open XCLBIN. A file that is no XCLBIN, or has no modules, is not our concern."""
        try:
            with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as content:
                section = read_xclbin(bytes(content), "XCLBIN").section(EMULATION_DATA)
            modules = read_emulation_data(section.data, "XCLBIN") if section is not None else {}
        except (Error, OSError, ValueError):
            return  # XRT reads it too and says what is wrong
        with self._lock:
            if modules in self._seen:
                self._seen.remove(modules)
            self._seen = [*self._seen[1 - _KEPT :], modules]

    def all(self) -> dict[bytes, bytes]:
        """Every module by its sha256."""
        with self._lock:
            return {digest: module for modules in self._seen for digest, module in modules.items()}
