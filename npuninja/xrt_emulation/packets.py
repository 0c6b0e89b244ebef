"""Command packets: what XRT puts into command buffers.

Source: XRT, src/runtime_src/core/include/xrt/detail/ert.h (packet layouts, states).
"""

from __future__ import annotations

import struct

from npuninja.records import NamedTuple

# States of a command, in bits 3:0 of its first word.
STATE_NEW, STATE_COMPLETED, STATE_ERROR, STATE_ABORT, STATE_TIMEOUT = 1, 4, 5, 6, 8

_START_CU = 0
_CMD_CHAIN = 19
_START_NPU, _START_NPU_PREEMPT, _START_NPU_FULL_ELF = 20, 21, 22
_CHAIN_HEADER = struct.Struct("<6I")  # commands, submit index, error index, reserved
#: Where a chain's error index is in its packet, in bytes.
CHAIN_ERROR_OFFSET = 4 + 8
MAX_CHAINED = 512

# Arguments of a kernel call, at EMBEDDED_METADATA's offsets: opcode, instructions, their words, buffers.
_CALL = struct.Struct("<2QI")
_OPCODE_TXN = 3
# ert_npu_data: address and bytes of the instructions, words of properties.
_NPU_DATA = struct.Struct("<Q2I")
# ert_npu_preempt_data: addresses of the instructions and of the code that saves and restores the array, the
# bytes of each, words of properties.
_PREEMPT_DATA = struct.Struct("<3Q4I")
#: The unit of a call whose configurations are in the instructions.
NO_UNIT = -1


class MalformedPacket(Exception):
    """A packet that the firmware would refuse."""


class KernelCall(NamedTuple):
    """One run: compute unit's number, instructions' device address and words, device addresses of buffers.

    `patched`: the instructions came as an ELF, so the addresses of buffers are in them already. A full ELF
    names no compute unit (NO_UNIT): its instructions load the configurations themselves.
    """

    unit: int
    instructions: int
    words: int
    arguments: tuple[int, ...]
    patched: bool = False


class Chain(NamedTuple):
    """Several commands in one packet: the handles of their buffers."""

    commands: tuple[int, ...]


def state_of(header: int, state: int) -> int:
    """A packet's first word with another state."""
    return header & ~0xF | state


def read_packet(data: bytes) -> KernelCall | Chain:
    """Reads the packet at the beginning of a command buffer.

    Raises:
        MalformedPacket: with a sentence.
    """
    if len(data) < 4:
        raise MalformedPacket("the command buffer has no packet")
    (header,) = struct.unpack_from("<I", data)
    opcode, count, extra_masks = header >> 23 & 0x1F, header >> 12 & 0x7FF, header >> 10 & 3
    if 4 + 4 * count > len(data):
        raise MalformedPacket(f"the packet says {count} words, its buffer has {len(data) // 4 - 1}")
    body = data[4 : 4 + 4 * count]
    if opcode == _START_CU:
        return _kernel_call(body, 1 + extra_masks)
    if opcode == _CMD_CHAIN:
        return _chain(body)
    if opcode == _START_NPU:
        return _elf_call(body, 1 + extra_masks)
    if opcode == _START_NPU_FULL_ELF:
        return _full_elf_call(body, 1 + extra_masks)
    if opcode == _START_NPU_PREEMPT:
        raise MalformedPacket(
            "the instructions have code that saves and restores the array, which is not emulated: "
            "build them without preemption points"
        )
    raise MalformedPacket(
        f"the command has operation {opcode}, expected {_START_CU} (kernel) or {_CMD_CHAIN} (runlist)"
    )


def _kernel_call(body: bytes, masks: int) -> KernelCall:
    call = body[4 * masks :]
    if len(call) < _CALL.size:
        raise MalformedPacket(
            f"the kernel call has {len(call)} bytes of arguments, expected at least {_CALL.size}"
        )
    unit = _unit(body, masks)
    opcode, instructions, words = _CALL.unpack_from(call)
    if opcode != _OPCODE_TXN:
        raise MalformedPacket(_wrong_opcode(opcode))
    addresses = [
        a for (a,) in struct.iter_unpack("<Q", call[_CALL.size : len(call) - (len(call) - _CALL.size) % 8])
    ]
    while addresses and not addresses[-1]:
        addresses.pop()
    return KernelCall(unit, instructions, words, tuple(addresses))


def _elf_call(body: bytes, masks: int) -> KernelCall:
    """A call whose instructions are an ELF: their place, then properties, then the opcode.

    XRT 2.25 passes no buffers: their addresses are in the instructions.
    """
    call = body[4 * masks :]
    if len(call) < _NPU_DATA.size:
        raise MalformedPacket(f"the call has {len(call)} bytes, expected at least {_NPU_DATA.size}")
    instructions, size_bytes, properties = _NPU_DATA.unpack_from(call)
    arguments = call[_NPU_DATA.size + 4 * properties :]
    unit = _unit(body, masks)
    opcode = int.from_bytes(arguments[:8], "little")
    if opcode != _OPCODE_TXN:
        raise MalformedPacket(_wrong_opcode(opcode))
    return KernelCall(unit, instructions, size_bytes // 4, (), patched=True)


def _full_elf_call(body: bytes, masks: int) -> KernelCall:
    """A call of a full ELF. The driver takes only what precedes the arguments (amdxdna, aie2_message.c)."""
    call = body[4 * masks :]
    if len(call) < _PREEMPT_DATA.size:
        raise MalformedPacket(f"the call has {len(call)} bytes, expected at least {_PREEMPT_DATA.size}")
    instructions, _, _, size_bytes, save_bytes, restore_bytes, _ = _PREEMPT_DATA.unpack_from(call)
    if save_bytes or restore_bytes:
        raise MalformedPacket("the ELF has code that saves and restores the array, which is not emulated")
    return KernelCall(NO_UNIT, instructions, size_bytes // 4, (), patched=True)


def _unit(body: bytes, masks: int) -> int:
    mask = int.from_bytes(body[: 4 * masks], "little")
    if not mask:
        raise MalformedPacket("the command names no compute unit")
    return (mask & -mask).bit_length() - 1


def _wrong_opcode(opcode: int) -> str:
    return f"the first argument of the kernel call, its opcode, is {opcode}, expected {_OPCODE_TXN}"


def _chain(body: bytes) -> Chain:
    if len(body) < _CHAIN_HEADER.size:
        raise MalformedPacket("a runlist without its header")
    count = _CHAIN_HEADER.unpack_from(body)[0]
    if not 0 < count <= MAX_CHAINED or _CHAIN_HEADER.size + 8 * count > len(body):
        raise MalformedPacket(
            f"a runlist says {count} commands and has {(len(body) - _CHAIN_HEADER.size) // 8}"
        )
    handles = struct.unpack_from(f"<{count}Q", body, _CHAIN_HEADER.size)
    if max(handles) >> 32:
        raise MalformedPacket("a runlist names a buffer that cannot exist")
    return Chain(handles)
