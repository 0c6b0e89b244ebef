"""The words of a sequence's control packets, as `generate_control_packets` of the bindings lists them."""

from __future__ import annotations

from typing import Any, Sequence

from npuninja.arch.registers import split_address
from npuninja.ir import core
from npuninja.ir.attributes import DenseArrayAttr, PacketInfoAttr
from npuninja.python_designs.construct.operations import MLIRError, build

#: Operations of a control packet that carry data: write, and write with the address going on.
_WRITES = (0, 2)


def control_packet(
    address: int,
    opcode: int,
    stream_id: int,
    *,
    length: int | None = None,
    data: Sequence[int] | None = None,
    **_: Any,
) -> Any:
    """`aiex.control_packet`: a read of `length` words, or a write of `data`."""
    attributes: dict[str, Any] = {"address": address}
    if length is not None:
        attributes["length"] = length
    attributes.update(opcode=opcode, stream_id=stream_id)
    if data is not None:
        attributes["data"] = DenseArrayAttr("i32", tuple(int(value) for value in data))
    return build("aiex.control_packet", [], attributes)


def generate_control_packets(module: Any, device_name: str = "") -> list[int]:
    """The words of the `aiex.control_packet`s of a device's sequence: for each the header of its packet, the
    header of the control packet, then its data.

    Args:
        module: a module or its operation.
        device_name: symbol of the device; the only one without it.

    Raises:
        MLIRError: there is no such device, or a packet that writes has no data.
    """
    ir = module.ir if hasattr(module, "ir") else module.operation.ir
    devices = [op for op in ir.walk() if op.name == "aie.device"]
    found = [op for op in devices if not device_name or op.string("sym_name") == device_name]
    if len(found) != 1:
        raise MLIRError(f"no device {device_name!r} in the module" if device_name else "expected one device")
    device = found[0]
    headers = {
        (op.integer("col"), op.integer("row")): info
        for op in device.walk()
        if op.name == "aie.tile" and isinstance(info := op.attributes.get("controller_id"), PacketInfoAttr)
    }
    words: list[int] = []
    for op in device.walk():
        if op.name == "aiex.control_packet":
            words += _packet(op, headers)
    return words


def _packet(op: core.Operation, headers: dict[tuple[int, int], PacketInfoAttr]) -> list[int]:
    address, kind = op.integer("address"), op.integer("opcode")
    data = op.attributes.get("data")
    values = [v & 0xFFFFFFFF for v in data.values] if isinstance(data, DenseArrayAttr) else []
    if kind in _WRITES and not values:
        raise MLIRError("a control packet that writes needs data")
    beats = (len(values) or op.integer("length") if "length" in op.attributes or values else 0) - 1
    column, row, offset = split_address(address)
    info = headers.get((column, row))
    routed = 0 if info is None else (info.pkt_type & 7) << 12 | info.pkt_id & 0xFF
    header = (op.integer("stream_id") << 24 | kind << 22 | (beats & 3) << 20 | offset) & 0x7FFFFFFF
    return [_with_parity(routed), _with_parity(header), *(values if kind in _WRITES else [])]


def _with_parity(word: int) -> int:
    """The word with bit 31 such that an odd number of bits is set."""
    return word | (word.bit_count() % 2 == 0) << 31
