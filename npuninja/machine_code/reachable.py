"""The bundles of a program memory: a sweep from its start, and what branches lead to apart from that.

Program memory may hold more than code (constants, padding), so what does not decode is left out here and is a
fault only when a core comes there.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.machine_code.decode import Bundle, UndecodableError, decoder
from npuninja.machine_code.flow import BRANCHES, DELAY_SLOTS, target_of

if TYPE_CHECKING:
    from typing import Sequence

_ALIGNMENT = 16  # where code begins again behind something that is no code


def reachable_bundles(pieces: Sequence[tuple[int, bytes]], isa: str = "aie2") -> list[Bundle]:
    """The bundles of pieces (address, bytes) of program memory, by address.

    Raises UserError when there is no table for the instruction set.
    """
    found: dict[int, Bundle] = {}
    for address, data in pieces:
        _sweep(address, data, isa, found, address)
    while True:
        missing = [a for a in _led_to([found[a] for a in sorted(found)]) if a not in found]
        before = len(found)
        for target in missing:
            for address, data in pieces:
                if address <= target < address + len(data):
                    _sweep(address, data, isa, found, target, follow=False)
        if len(found) == before:
            return [found[a] for a in sorted(found)]


def _led_to(bundles: Sequence[Bundle]) -> set[int]:
    """Where branches lead, and where they go on when they are not taken."""
    wanted = set()
    for index, bundle in enumerate(bundles):
        for decoded in bundle.instructions:
            if decoded.instruction.mnemonic not in BRANCHES:
                continue
            target = target_of(decoded)
            if target is not None:
                wanted.add(target)
            if index + DELAY_SLOTS < len(bundles):
                wanted.add(bundles[index + DELAY_SLOTS].end)
    return wanted


def _sweep(
    address: int, data: bytes, isa: str, found: dict[int, Bundle], start: int, *, follow: bool = True
) -> None:
    code = decoder(isa)
    at = start - address
    while at < len(data) and address + at not in found:
        try:
            bundle = code.bundle(data, at, address + at)
        except UndecodableError:
            if not follow:
                return
            at = (address + at) // _ALIGNMENT * _ALIGNMENT + _ALIGNMENT - address
            continue
        found[bundle.address] = bundle
        at += bundle.size_bytes
