"""What a CDO and an instruction stream both do to one register."""

from __future__ import annotations

from npuninja.records import NamedTuple


class Write(NamedTuple):
    """Sets a register: register := value."""

    address: int
    value: int


class MaskWrite(NamedTuple):
    """register := (register & ~mask) | (value & mask)."""

    address: int
    mask: int
    value: int
