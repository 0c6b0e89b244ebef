"""A Python function and a class for any operation, made from its row in `npuninja.ir.syntax`.

Operands and attributes are the parameters, in the row's order and under its names, as in the bindings that
MLIR generates; types of results that do not follow from the operands come first.
"""

from __future__ import annotations

from typing import Any, Callable

from npuninja.ir.assembly import _RESULT_RULES, OpDefinition
from npuninja.ir.attribute_directives import AttributeField
from npuninja.ir.core import Region
from npuninja.ir.directives import Directive, MixedList, OperandDirective, Optional
from npuninja.ir.syntax import definition, operation_names
from npuninja.python_designs.construct.operations import OpView, ir_value, make, view_of

#: Class names that do not follow from the operation's name.
_CLASS_NAMES = {
    "aie.objectfifo": "ObjectFifoCreateOp",
    "aie.objectfifo.link": "ObjectFifoLinkOp",
    "aie.objectfifo.acquire": "ObjectFifoAcquireOp",
    "aie.objectfifo.release": "ObjectFifoReleaseOp",
    "aie.objectfifo.subview.access": "ObjectFifoSubviewAccessOp",
    "aie.objectfifo.allocate": "ObjectFifoAllocateOp",
    "aie.objectfifo.register_external_buffers": "ObjectFifoRegisterExternalBuffersOp",
    "aie.dma_bd": "DMABDOp",
    "aie.dma_bd_packet": "DMABDPACKETOp",
    "aie.dma_start": "DMAStartOp",
    "aie.dma": "DMAOp",
    "aie.next_bd": "NextBDOp",
    "aie.memtile_dma": "MemTileDMAOp",
    "aie.shim_dma": "ShimDMAOp",
    "aie.shim_dma_allocation": "ShimDMAAllocationOp",
    "aie.bd_chain": "BDChainOp",
    "aie.plio": "PLIOOp",
    "aie.masterset": "MasterSetOp",
    "aie.amsel": "AMSelOp",
    "aie.rule": "PacketRuleOp",
    "aie.trace.start": "TraceStartEventOp",
    "aie.trace.stop": "TraceStopEventOp",
    "aiex.control_packet": "NpuControlPacketOp",
    "aiex.getTile": "GetTileOp",
    "aiex.npu.dma_memcpy_nd": "NpuDmaMemcpyNdOp",
    "aiex.npu.rtp_write": "NpuWriteRTPOp",
    "aiex.npu.write32": "NpuWrite32Op",
    "aiex.npu.maskwrite32": "NpuMaskWrite32Op",
    "aiex.npu.blockwrite": "NpuBlockWriteOp",
    "aiex.npu.writebd": "NpuWriteBdOp",
    "aiex.dma_configure_task": "DMAConfigureTaskOp",
    "aiex.dma_configure_task_for": "DMAConfigureTaskForOp",
    "aiex.dma_start_bd_chain": "DMAStartBdChainOp",
    "aiex.dma_start_bd_chain_for": "DMAStartBdChainForOp",
    "aiex.dma_start_task": "DMAStartTaskOp",
    "aiex.dma_await_task": "DMAAwaitTaskOp",
    "aiex.dma_free_task": "DMAFreeTaskOp",
    "arith.addi": "AddIOp", "arith.subi": "SubIOp", "arith.muli": "MulIOp", "arith.divsi": "DivSIOp",
    "arith.divui": "DivUIOp", "arith.remsi": "RemSIOp", "arith.remui": "RemUIOp", "arith.addf": "AddFOp",
    "arith.subf": "SubFOp", "arith.mulf": "MulFOp", "arith.divf": "DivFOp", "arith.remf": "RemFOp",
    "arith.andi": "AndIOp", "arith.ori": "OrIOp", "arith.xori": "XOrIOp", "arith.shli": "ShLIOp",
    "arith.shrsi": "ShRSIOp", "arith.shrui": "ShRUIOp", "arith.extsi": "ExtSIOp", "arith.extui": "ExtUIOp",
    "arith.trunci": "TruncIOp", "arith.truncf": "TruncFOp", "arith.extf": "ExtFOp", "arith.sitofp": "SIToFPOp",
    "arith.uitofp": "UIToFPOp", "arith.fptosi": "FPToSIOp", "arith.fptoui": "FPToUIOp", "arith.cmpi": "CmpIOp",
    "arith.cmpf": "CmpFOp", "arith.maxsi": "MaxSIOp", "arith.minsi": "MinSIOp", "arith.maxui": "MaxUIOp",
    "arith.minui": "MinUIOp", "arith.maximumf": "MaximumFOp", "arith.minimumf": "MinimumFOp",
    "arith.negf": "NegFOp", "arith.floordivsi": "FloorDivSIOp", "arith.ceildivsi": "CeilDivSIOp",
    "index.casts": "CastSOp", "index.castu": "CastUOp",
    "memref.subview": "SubViewOp", "memref.get_global": "GetGlobalOp", "vector.fma": "FMAOp",
}  # fmt: skip


def class_name(operation: str) -> str:
    """The name of an operation's class in the bindings: `aie.use_lock` is `UseLockOp`."""
    known = _CLASS_NAMES.get(operation)
    if known:
        return known
    words = operation.split(".", 1)[1].replace(".", "_").split("_")
    return "".join(w[:1].upper() + w[1:] for w in words) + "Op"


def function_name(operation: str) -> str:
    """The name of an operation's function: `aiex.npu.dma_wait` is `npu_dma_wait`."""
    name = operation.split(".", 1)[1].replace(".", "_")
    return name + "_" if name in ("yield", "return", "assert", "if", "for", "while", "and", "or") else name


def _fields(found: OpDefinition) -> list[tuple[str, str]]:
    """(`operand` | `operands` | `attribute`, name) in the row's order; attributes of the dictionary at the end."""
    fields: list[tuple[str, str]] = []

    def visit(directives: list[Directive]) -> None:
        for directive in directives:
            if isinstance(directive, Optional):
                visit(directive.elements)
            elif isinstance(directive, MixedList):
                fields.append(("mixed", directive.name))
            elif isinstance(directive, OperandDirective):
                group = next(g for g in found.groups if g.name == directive.name)
                fields.append(("operands" if group.variadic else "operand", directive.name))
            elif isinstance(directive, AttributeField):
                fields.append(("attribute", directive.name))

    visit(found.directives)
    named = {name for _, name in fields}
    for group in found.groups:
        if group.name not in named:
            fields.append(("operands" if group.variadic else "operand", group.name))
    for name in found.kinds:
        if name not in named and not name.startswith("static_"):
            fields.append(("attribute", name))
    return fields


def build_generic(operation: str, *arguments: Any, **options: Any) -> OpView:
    """Makes an operation from positional and keyword arguments.

    Raises:
        TypeError: too many arguments, or a name that the operation does not have.
    """
    found = definition(operation)
    assert found is not None, operation
    fields = _fields(found)
    names = {name for _, name in fields}
    free = [r for r in found.results if not _follows(r)]
    values: dict[str, Any] = {}
    positional = list(arguments)
    results: list[Any] = []
    for rule in free:
        name = rule.rstrip("*")
        if name in options and name not in names:
            given = options.pop(name)
        elif "results" in options:
            given = options.pop("results")
        elif "result" in options:
            given = options.pop("result")
        elif positional and len(positional) + len(options.keys() & names) > 0 and _is_type(positional[0]):
            given = positional.pop(0)
        else:
            raise TypeError(f"{function_name(operation)}() needs the type of its result '{name}' first")
        results += given if isinstance(given, (list, tuple)) else [given]
    if (
        len(found.results) > len(free)
        and positional
        and _is_type(positional[0])
        and fields[0][0] == "operand"
    ):
        positional.pop(0)  # classes are called with the type even where it is always the same
    for key in ("loc", "ip"):
        options.pop(key, None)
    if len(positional) > len(fields):
        raise TypeError(
            f"{function_name(operation)}() takes {len(fields)} arguments but {len(positional)} were given"
        )
    for (_, name), value in zip(fields, positional):
        values[name] = value
    for name, value in options.items():
        if name.rstrip("_") not in names and name not in names:
            raise TypeError(f"{function_name(operation)}() got an unexpected keyword argument '{name}'")
        values[name if name in names else name.rstrip("_")] = value
    operands: list[Any] = []
    segments: list[int] = []
    for group in found.groups:
        given = values.pop(group.name, None)
        listed = [] if given is None else list(given) if isinstance(given, (list, tuple)) else [given]
        operands += listed
        segments.append(len(listed))
    types: list[Any] = []
    rest = iter(results)
    by_name = dict(zip((g.name for g in found.groups), range(len(segments))))
    for rule in found.results:
        if not _follows(rule):
            types += list(rest) if rule.endswith("*") else [next(rest)]
        elif rule.endswith(")"):
            function, _, name = rule[:-1].partition("(")
            types.append(_RESULT_RULES[function](ir_value(operands[sum(segments[: by_name[name]])]).type))
        else:
            types.append(rule)
    regions: list[Region] = [Region() for _ in range(found.region_count)]
    several = sum(g.variadic for g in found.groups) > 1
    return view_of(  # type: ignore[no-any-return]
        make(operation, operands, values, types, regions, tuple(segments) if several else None)
    )


def _follows(rule: str) -> bool:
    return rule.endswith(")") or rule in ("index", "i1", "i32", "i64")


def _is_type(given: Any) -> bool:
    from npuninja.python_designs.construct.types import Type

    return isinstance(given, Type) or (
        isinstance(given, (list, tuple)) and all(isinstance(g, Type) for g in given)
    )


def names_of(dialect: str) -> dict[str, Any]:
    """Function and class of every operation of a dialect, by their names in the bindings."""
    made: dict[str, Any] = {}
    for operation in operation_names():
        if operation.partition(".")[0] == dialect:
            made[function_name(operation)] = _function(operation)
            made[class_name(operation)] = _class(operation)
    return made


def _function(operation: str) -> Callable[..., Any]:
    def function(*arguments: Any, **options: Any) -> Any:
        view = build_generic(operation, *arguments, **options)
        return view.result if len(view.ir.results) == 1 and not view.ir.regions else view

    function.__name__ = function_name(operation)
    function.__doc__ = f"Makes `{operation}`."
    return function


class _ByOperation(type):
    """The type of an operation's class: any view of such an operation is one of its objects."""

    def __instancecheck__(cls, instance: Any) -> bool:
        named = getattr(cls, "OPERATION_NAME", None)
        return isinstance(instance, OpView) and instance.ir.name == named


def _class(operation: str) -> type[OpView]:
    def __init__(self: OpView, *arguments: Any, **options: Any) -> None:
        self.ir = build_generic(operation, *arguments, **options).ir

    members = {"__init__": __init__, "OPERATION_NAME": operation}
    return _ByOperation(class_name(operation), (OpView,), members)  # type: ignore[return-value]
