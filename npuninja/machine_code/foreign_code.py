"""Whether program memory holds AIE2 code. A PDI does not say for which generation its cores were compiled.

A core starts at address 0. Everything that a program comes to from there is code, and all of it decodes in a
program for AIE2. So other bytes on that way mean another instruction set, or damage.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.errors import UserError
from npuninja.machine_code.decode import Decoded, UndecodableError, decoder
from npuninja.machine_code.flow import BRANCHES, DELAY_SLOTS, branch_of, ends_core, target_of

if TYPE_CHECKING:
    from typing import Sequence

#: Bundles to look at: another instruction set shows in the first few.
_ENOUGH = 256


def require_aie2(pieces: Sequence[tuple[int, bytes]], title: str, name: str) -> None:
    """Refuses a program for another instruction set.

    Args:
        pieces: (address, bytes) of program memory.
        title: whose program, such as `core (0, 2)`.
        name: of the file, for the message.

    Raises:
        UserError: the way from address 0 comes to bytes that are no AIE2 instruction.
    """
    found = foreign_bytes(pieces)
    if found is None:
        return
    address, data = found
    raise UserError(
        f"{name + ': ' if name else ''}{title} has no AIE2 program: from address 0, where cores start, it "
        f"comes to {data.hex(' ')} at 0x{address:x}, which is no AIE2 instruction",
        hint="programs for AIE2P (npu2) are refused: there is no table of its instructions yet; "
        "otherwise the file is damaged",
    )


def foreign_bytes(pieces: Sequence[tuple[int, bytes]]) -> tuple[int, bytes] | None:
    """The first address on the way from 0 without an AIE2 instruction, and its bytes; None if there is none.

    Calls in registers and what comes after `_ENOUGH` bundles are not followed.
    """
    seen: set[int] = set()
    waiting = [0]
    while waiting and len(seen) < _ENOUGH:
        address, slots = waiting.pop(), 0
        branch: Decoded | None = None
        while address not in seen and len(seen) < _ENOUGH:
            piece = next(((at, data) for at, data in pieces if at <= address < at + len(data)), None)
            if piece is None:
                break  # written later, or never: the run says so
            at, data = piece
            try:
                bundle = decoder("aie2").bundle(data, address - at, address)
            except UndecodableError:
                return (address, data[address - at : address - at + 8])
            seen.add(address)
            address = bundle.end
            if branch is None:
                branch, slots = branch_of(bundle), DELAY_SLOTS + 1
            if ends_core(bundle):
                break
            if branch is not None:
                slots -= 1
                if not slots:
                    target = target_of(branch)
                    waiting += [] if target is None else [target]
                    if not BRANCHES[branch.instruction.mnemonic]:
                        break
                    branch = None
    return None
