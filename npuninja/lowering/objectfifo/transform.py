"""ObjectFifos to buffers, locks, DMA programs, flows, lock operations (aie-objectFifo-stateful-transform)."""

from __future__ import annotations

from npuninja.errors import UserError, Warnings
from npuninja.ir.attributes import ArrayAttr, Attribute, BoolAttr, SymbolRefAttr
from npuninja.ir.core import Operation, erase_all
from npuninja.ir.verifier_dma import DMA_RULES
from npuninja.ir.verifier_objectfifo import OBJECTFIFO_RULES
from npuninja.lowering.generation import Rules
from npuninja.lowering.objectfifo.core import check_accesses, lower_accesses
from npuninja.lowering.objectfifo.dma import allocation_name, create_dmas
from npuninja.lowering.objectfifo.elements import create_elements
from npuninja.lowering.objectfifo.fifo_loops import unroll_by_own_accesses, unroll_fifo_loops
from npuninja.lowering.objectfifo.model import ObjectFifos
from npuninja.lowering.objectfifo.split import ACCESSES, split_fifos
from npuninja.lowering.tiles import ops_of, place_of

_FIFO_OPS = (
    "aie.objectfifo",
    "aie.objectfifo.link",
    "aie.objectfifo.allocate",
    "aie.objectfifo.register_external_buffers",
)


def lower_objectfifos(
    device: Operation,
    rules: Rules,
    warnings: Warnings,
    *,
    packets: bool = False,
    dynamic: bool | None = None,
) -> None:
    """Replaces all objectFifos of a device.

    Args:
        device: the device, changed in place.
        rules: of the generation.
        warnings: takes what the user should know though it is no error.
        packets: objects travel in packets; see `create_dmas`.
        dynamic: what holds for cores that do not say whether they find an object at run time. If true, first
            trips are taken out of loops in no core.

    Raises:
        UserError: a fifo cannot be lowered; see the modules of its parts.
    """
    for op in device.walk():  # pipelines of passes come here without the verifier
        if op.name in OBJECTFIFO_RULES:
            OBJECTFIFO_RULES[op.name](op)
    fifos = ObjectFifos(device)
    cores = list(ops_of(device, "aie.core"))
    for core in cores:
        check_accesses(core, fifos)
        if rules.counts_objects_in_values:
            from npuninja.lowering.objectfifo.rotating import check_loops

            check_loops(core, warnings)
    _check_delegates(fifos, warnings)
    _warn_of_uneven_parts(fifos, warnings)
    if rules.parts_bound_orders:
        _check_orders(fifos)
    split_fifos(fifos)
    create_elements(fifos, rules)
    create_dmas(fifos, rules, packets)
    # What a fifo says of dimensions and padding must fit the buffer of the tile where it is done.
    for op in device.walk():
        if op.name == "aie.dma_bd":
            DMA_RULES[op.name](op)
    for core in cores:
        if any(op.name in ACCESSES for op in core.walk()):
            _lower_core(core, fifos, rules, warnings, dynamic)
    if any(op.name == "aiex.dma_channel_reset_for" for op in device.walk()):
        from npuninja.lowering.objectfifo.rearm import bind_rearms

        bind_rearms(fifos)
    _rename_uses(fifos)
    erase_all(ops_of(device, *_FIFO_OPS))


def _lower_core(
    core: Operation, fifos: ObjectFifos, rules: Rules, warnings: Warnings, dynamic: bool | None
) -> None:
    """Lowers a core's accesses in its generation's way. What only one way needs is imported in its branch."""
    if rules.counts_objects_in_values:
        from npuninja.lowering.objectfifo.rotating import rotate_accesses

        if not _is_dynamic(core, dynamic):
            unroll_by_own_accesses(core, fifos.by_name)
        rotate_accesses(core, fifos, warnings, peels=not dynamic)
    elif _is_dynamic(core, dynamic):
        from npuninja.lowering.objectfifo.dynamic import make_indices_dynamic

        make_indices_dynamic(core, fifos, warnings)
    else:
        factors = unroll_fifo_loops(core, fifos.by_name)
        if len(factors) > 1:
            warnings.add(
                f"loops of this core are unrolled by different factors ({', '.join(map(str, factors))}), "
                "which MLIR-AIE cannot always do: it may crash on this design",
                core.loc,
            )
        lower_accesses(core, fifos, warnings)


def _is_dynamic(core: Operation, otherwise: bool | None) -> bool:
    flag = core.attributes.get("dynamic_objfifo_lowering")
    if flag is None:
        return bool(otherwise)
    return not (isinstance(flag, BoolAttr) and not flag.value)


def _check_delegates(fifos: ObjectFifos, warnings: Warnings) -> None:
    for name, (tile, op) in fifos.delegates.items():
        fifo = fifos.by_name[name]
        if fifos.needs_dma(fifo):
            if fifo.link is not None:
                warnings.add(
                    f"objectFifo '@{name}' is linked and goes over DMA, so this allocate has no effect",
                    op.loc,
                )
                continue
            raise UserError(
                f"objectFifo '@{name}' goes over DMA, so its buffers cannot be placed by allocate",
                op.loc,
                notes=(("the objectFifo", fifo.op.loc),),
            )
        if not fifos.shared_memory(fifo, tile):
            raise UserError(
                f"the memory of tile {place_of(tile)} is not shared by both ends of objectFifo '@{name}'",
                op.loc,
                notes=(("the objectFifo", fifo.op.loc),),
            )


def _warn_of_uneven_parts(fifos: ObjectFifos, warnings: Warnings) -> None:
    """A joined or distributed object's part and the leg's object: one should be a multiple of the other."""
    for link in fifos.links:
        if link.legs > 1:
            for leg, fifo in enumerate(link.inputs if link.is_join else link.outputs):
                length = link.part(leg)[1]
                if length % fifo.elements and fifo.elements % length:
                    warnings.add(
                        f"objectFifo '@{fifo.name}' has objects of {fifo.elements} elements, "
                        f"but its part in the link is {length}",
                        link.op.loc,
                    )


def _check_orders(fifos: ObjectFifos) -> None:
    """The dimensions of a join or distribute hold for each part of the object: they must fit the smallest."""
    for link in fifos.links:
        if link.legs < 2:
            continue
        way, whole = ("join", link.outputs[0]) if link.is_join else ("distribute", link.inputs[0])
        dims = whole.dims_to if link.is_join else whole.dims_from[0]
        last = sum(dim.stride * (dim.size - 1) for dim in dims)
        smallest = min(link.part(leg)[1] for leg in range(link.legs))
        if dims and smallest <= last:
            raise UserError(
                f"the dimensions of objectFifo '@{whole.name}' reach element {last}, "
                f"and a part of its objects has {smallest} elements",
                link.op.loc,
                notes=((f"the whole of this {way}", whole.op.loc),),
                hint="they hold for each of its parts",
            )


def _rename_uses(fifos: ObjectFifos) -> None:
    """Points what names a fifo with an end at a shim tile (a sequence may) to the shim allocation.

    Another device names it `@DEVICE::@FIFO`.
    """
    device = fifos.device
    allocations = {op.string("sym_name") for op in ops_of(device, "aie.shim_dma_allocation")}
    names = {fifo.name: name for fifo, _ in fifos.splits if (name := allocation_name(fifo)) in allocations}
    if not names:
        return
    nested = device.string("sym_name", "main")
    for op in (device.parent_op or device).walk():
        if op.name not in _FIFO_OPS:
            inside = op.enclosing("aie.device") is device
            for key, attribute in op.attributes.items():
                op.attributes[key] = _renamed(attribute, names, inside, nested)


def _renamed(attribute: Attribute, names: dict[str, str], inside: bool, nested: str) -> Attribute:
    if isinstance(attribute, SymbolRefAttr):
        path = attribute.path
        if inside and path[0] in names:
            return SymbolRefAttr((names[path[0]], *path[1:]))
        if len(path) == 2 and path[0] == nested and path[1] in names:
            return SymbolRefAttr((nested, names[path[1]]))
    elif isinstance(attribute, ArrayAttr):
        return ArrayAttr(tuple(_renamed(item, names, inside, nested) for item in attribute.items))
    return attribute
