"""Instructions as the runtime takes them: operation, where operands lie, latencies (`Op` of runtime/core.h).

One function a family of instructions. What is not prepared here, or not proved, becomes an operation that
faults with the instruction's name when it is issued: nothing is guessed.
"""

from __future__ import annotations

from functools import cache

from npuninja import TYPE_CHECKING
from npuninja.machine_code.decode import Bundle, Decoded
from npuninja.machine_code.families.fields import (
    BUNDLE,
    BUNDLE_BLOCKS,
    BUNDLE_KNOWN,
    BUNDLE_PORTS,
    IMM_OFFSET,
    OP,
    STREAM_NO_WAIT,
    FamilyWriter,
    FieldLayout,
    Fields,
    operations,
)
from npuninja.machine_code.families.memory import (
    load,
    padd,
    store,
    vector_load,
    vector_store,
)
from npuninja.machine_code.families.scalars import (
    binary,
    branch,
    event,
    extend,
    lock,
    move,
    plain,
)
from npuninja.machine_code.families.vectors import (
    MAC_SIGNS,
    acc_add,
    between_lanes,
    clear,
    convert,
    lanes,
    mac,
    sources,
    vector_move,
)
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Sequence

#: Families by mnemonic up to the first dot; a key with a slot in front of it goes first.
_FAMILIES: dict[str, FamilyWriter] = {
    **{name: binary(f"OP_{name.upper()}") for name in (
        "add", "sub", "adc", "sbc", "and", "or", "xor", "lshl", "ashl", "abs", "clb", "clz", "eq", "ne", "lt", "ltu",
        "ge", "geu", "eqz", "nez", "mul",
    )},
    "add.nc": binary("OP_ADD_NC"),
    "sel.eqz": binary("OP_SELEQZ"),
    "sel.nez": binary("OP_SELNEZ"),
    "divs": binary("OP_DIVS"),
    "extend": extend,
    **dict.fromkeys(("mov", "movx", "mova", "movxm"), move),
    **dict.fromkeys(("acq", "rel"), lock),
    **dict.fromkeys(("j", "jl", "jz", "jnz", "jnzd", "ret lr"), branch),
    "done": plain("OP_DONE"),
    "event": event,
    **dict.fromkeys(("padda", "paddb", "padds"), padd),
    "lda": load,
    "st": store,
    **dict.fromkeys(("vlda", "vldb"), vector_load),
    "vst": vector_store,
    **{name: lanes(f"OP_{name.upper()}") for name in (
        "vaddsub", "vband", "vbor", "vabs_gtz", "vbneg_ltz", "vmin_ge", "vmax_lt", "vmaxdiff_lt", "vsub_lt", "vsub_ge",
        "vlt", "vge", "veqz", "vsel",
    )},
    **dict.fromkeys(("vneg_gtz8", "vneg_gtz16", "vneg_gtz32"), lanes("OP_VNEG_GTZ")),
    "mv vadd": lanes("OP_VADD"),
    "mv vsub": lanes("OP_VSUB"),
    "vshift": sources("OP_VSHIFT", "d", "s1", "s2", "shift"),
    "vshift.align": sources("OP_VSHIFT_ALIGN", "d", "s1", "s2", "shift", "pre"),
    "vshuffle": sources("OP_VSHUFFLE", "dst", "s1", "s2", "mod"),
    "vbcst": sources("OP_VBCST", "dst", "s0"),
    "vbcstshfl": sources("OP_VBCSTSHFL", "dst", "s0"),
    "vextbcst": sources("OP_VEXTBCST", "dst", "src", "idx"),
    "vextract": sources("OP_VEXTRACT", "dst", "s1", "idx"),
    "vinsert": sources("OP_VINSERT", "dst", "s1", "s0"),
    "vpush.hi": sources("OP_VPUSH_HI", "d", "s1", "s2"),
    "vpush.lo": sources("OP_VPUSH_LO", "d", "s1", "s2"),
    "vmov": vector_move,
    "vpack": between_lanes("OP_VPACK", 0),
    "vunpack": between_lanes("OP_VUNPACK", 1),
    "vups": between_lanes("OP_VUPS", 1),
    **dict.fromkeys(("vsrs", "vsrsm"), between_lanes("OP_VSRS", 0)),
    "vconv": convert,
    "vfloor": sources("OP_VFLOOR", "dst", "src", "shft"),
    "vclr": clear,
    **dict.fromkeys(MAC_SIGNS, mac),
    **dict.fromkeys(("vec vadd", "vec vsub", "vnegsub", "vnegadd", "vneg"), acc_add),
}  # fmt: skip


_STREAMS = ("OP_STREAM_READ", "OP_STREAM_WRITE")


def _family(decoded: Decoded) -> FamilyWriter | None:
    instruction = decoded.instruction
    words = instruction.mnemonic.split(".")
    for key in (f"{instruction.slot} {words[0]}", ".".join(words[:2]), words[0]):
        if key in _FAMILIES:
            return _FAMILIES[key]
    return None


@cache
def is_prepared(decoded: Decoded) -> bool:
    """Whether the runtime executes this instruction."""
    fields = Fields(decoded, FieldLayout(0, 0, 0), 0, 0)
    family = _family(decoded)
    if family is not None:
        family(fields)
    return fields.op != "OP_UNSUPPORTED"


class PreparedBundle(NamedTuple):
    """A bundle with its operations (acquires first) and their addresses in the runtime's memory."""

    bundle: Bundle
    operations: tuple[tuple[int, Fields], ...]

    @property
    def blocks(self) -> bool:
        """Whether it can wait for a lock."""
        return "OP_ACQ" in [fields.op for _, fields in self.operations]

    @property
    def waits_for_port(self) -> bool:
        """Whether it can wait for a stream or the cascade when issued (reads of the cascade wait later)."""
        return any(
            f.op == "OP_CASCADE_WRITE" or (f.op in _STREAMS and not f.x & STREAM_NO_WAIT)
            for _, f in self.operations
        )

    @property
    def ports(self) -> bool:
        """Whether it sends or receives by a stream or the cascade."""
        return any(fields.op.startswith(("OP_STREAM", "OP_CASCADE")) for _, fields in self.operations)


class Prepared(NamedTuple):
    """A program for the runtime: bundle table, operations, and the instructions that it does not execute."""

    bundles: bytes
    ops: bytes
    unsupported: dict[int, str]
    by_address: dict[int, PreparedBundle]


def prepare(bundles: Sequence[Bundle], layout: FieldLayout) -> Prepared:
    """Prepares bundles. The address of the operations that fault names the instruction in `unsupported`."""
    numbers = operations()
    table = bytearray(0x4000 // 2 * BUNDLE.size)
    ops = bytearray()
    unsupported: dict[int, str] = {}
    by_address = {bundle.address: bundle for bundle in bundles}
    prepared: dict[int, PreparedBundle] = {}
    for bundle in bundles:
        first = len(ops) // OP.size
        made: list[tuple[int, Fields]] = []
        # Acquires first: whether the bundle can be issued is known before anything of it is done.
        order = sorted(bundle.instructions, key=lambda i: not i.instruction.mnemonic.startswith("acq"))
        for decoded in order:
            if decoded.instruction.is_filler:
                continue
            op_at = layout.ops + len(ops)
            fields = Fields(decoded, layout, bundle.address, op_at + IMM_OFFSET)
            family = _family(decoded)
            if family is not None:
                family(fields)
            if fields.op == "OP_UNSUPPORTED":
                unsupported[bundle.address] = decoded.instruction.name
            elif fields.op == "OP_JL":
                fields.extra = _after_delay_slots(bundle, by_address)
            ops += fields.packed(numbers)
            made.append((op_at, fields))
        prepared[bundle.address] = entry = PreparedBundle(bundle, tuple(made))
        flags = BUNDLE_KNOWN | (BUNDLE_BLOCKS if entry.blocks else 0) | (BUNDLE_PORTS if entry.ports else 0)
        BUNDLE.pack_into(table, bundle.address // 2 * BUNDLE.size, first, bundle.size_bytes, flags, len(made))
    return Prepared(bytes(table), bytes(ops), unsupported, prepared)


def _after_delay_slots(bundle: Bundle, by_address: dict[int, Bundle]) -> int:
    address = bundle.end
    for _ in range(5):
        slot = by_address.get(address)
        if slot is None:
            return 0xFFFFE  # the program ends before: the return faults there
        address = slot.end
    return address
