"""Modules of wasm cores, from XCLBINs and full ELFs that programs open. A PDI names them by their hash."""

from __future__ import annotations

import hashlib
import mmap
import threading

from npuninja.errors import Error
from npuninja.formats.aie_partition import read_aie_partition
from npuninja.formats.emulation_data import read_emulation_data, read_family
from npuninja.formats.full_elf_reader import is_full_elf, read_full_elf
from npuninja.formats.xclbin import AIE_PARTITION, EMULATION_DATA, Xclbin, read_xclbin

#: XCLBINs to remember, the latest ones.
_KEPT = 64


class CoreModules:
    """What was seen so far. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: list[dict[bytes, bytes]] = []
        self._families: dict[bytes, str] = {}

    def add(self, descriptor: int) -> None:
        """Takes the modules of an open XCLBIN or full ELF; other files, or ones without modules, are left."""
        try:
            with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as content:
                data = bytes(content)
            if is_full_elf(data):
                full = read_full_elf(data, "ELF").emulation_data
                self._keep(read_emulation_data(full, "ELF") if full else {})
                return
            container = read_xclbin(data, "XCLBIN")
            section = container.section(EMULATION_DATA)
            self._take_family(container, read_family(section.data) if section is not None else "")
            modules = read_emulation_data(section.data, "XCLBIN") if section is not None else {}
        except (Error, OSError, ValueError):
            return  # XRT reads it too and says what is wrong
        self._keep(modules)

    def _keep(self, modules: dict[bytes, bytes]) -> None:
        with self._lock:
            if modules in self._seen:
                self._seen.remove(modules)
            self._seen = [*self._seen[1 - _KEPT :], modules]

    def _take_family(self, container: Xclbin, family: str) -> None:
        partition = container.section(AIE_PARTITION)
        if not family or partition is None:
            return
        pdis = read_aie_partition(partition.data, "XCLBIN").pdis
        with self._lock:
            self._families |= {hashlib.sha256(pdi.image).digest(): family for pdi in pdis}

    def family_of(self, pdi: bytes) -> str:
        """The NPU that a PDI without cores was built for; "" when no XCLBIN that was opened says it."""
        with self._lock:
            return self._families.get(hashlib.sha256(pdi).digest(), "")

    def all(self) -> dict[bytes, bytes]:
        """Every module by its sha256."""
        with self._lock:
            return {digest: module for modules in self._seen for digest, module in modules.items()}
