"""A Python function and a class for any operation, made from its row in `npuninja.ir.syntax`.

Operands and attributes are the parameters, in the row's order and under its names, as in MLIR's generated
bindings; types of results that do not follow from the operands come first.
"""

from __future__ import annotations

from typing import Any, Callable, Iterator

from npuninja.ir.assembly import _RESULT_RULES, OpDefinition
from npuninja.ir.attribute_directives import AttributeField
from npuninja.ir.directives import Directive, MixedList, OperandDirective, Optional
from npuninja.ir.syntax import definition, operation_names
from npuninja.python_designs.construct.operations import OpView, ir_value, make, view_of
from npuninja.python_designs.construct.types import Type

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
    """(`operand` | `operands` | `attribute`, name) in the row's order; the dictionary's attributes last."""
    fields: list[tuple[str, str]] = []
    kinds = {group.name: "operands" if group.variadic else "operand" for group in found.groups}

    def visit(directives: list[Directive]) -> None:
        for directive in directives:
            if isinstance(directive, Optional):
                visit(directive.elements)
            elif isinstance(directive, MixedList):
                fields.append(("mixed", directive.name))
            elif isinstance(directive, OperandDirective):
                fields.append((kinds[directive.name], directive.name))
            elif isinstance(directive, AttributeField):
                fields.append(("attribute", directive.name))

    visit(found.directives)
    named = {name for _, name in fields}
    fields += [(kind, name) for name, kind in kinds.items() if name not in named]
    fields += [("attribute", n) for n in found.kinds if n not in named and not n.startswith("static_")]
    return fields


def build_generic(operation: str, *arguments: Any, **options: Any) -> OpView:
    """Makes an operation from positional and keyword arguments.

    Raises:
        TypeError: too many arguments, or a name that the operation does not have.
    """
    found = definition(operation)
    assert found is not None, operation
    fields = _fields(found)
    positional = list(arguments)
    results = _free_results(found, fields, positional, options)
    values = _values_by_name(operation, fields, positional, options)
    operands: list[Any] = []
    segments: list[int] = []
    starts: dict[str, int] = {}
    for group in found.groups:
        starts[group.name] = len(operands)
        given = _listed(values.pop(group.name, None))
        operands += given
        segments.append(len(given))
    types = _result_types(found, iter(results), operands, starts)
    several = sum(g.variadic for g in found.groups) > 1
    return view_of(  # type: ignore[no-any-return]
        make(operation, operands, values, types, found.region_count, tuple(segments) if several else None)
    )


def _free_results(
    found: OpDefinition, fields: list[tuple[str, str]], positional: list[Any], options: dict[str, Any]
) -> list[Any]:
    """Takes the types of results that do not follow from operands out of the arguments: by their names, as
    `results` or `result`, or in front of the others.
    """
    names = {name for _, name in fields}
    free = [rule.rstrip("*") for rule in found.results if not _follows(rule)]
    results: list[Any] = []
    for name in free:
        spellings = ("results", "result") if name in names else (name, "results", "result")
        keyword = next((word for word in spellings if word in options), None)
        if keyword is not None:
            given = options.pop(keyword)
        elif positional and len(positional) + len(options.keys() & names) > 0 and _is_type(positional[0]):
            given = positional.pop(0)
        else:
            raise TypeError(f"{function_name(found.name)}() needs the type of its result '{name}' first")
        results += given if isinstance(given, (list, tuple)) else [given]
    if (
        len(found.results) > len(free)
        and positional
        and _is_type(positional[0])
        and fields[0][0] == "operand"
    ):
        positional.pop(0)  # classes are called with the type even where it is always the same
    return results


def _values_by_name(
    operation: str, fields: list[tuple[str, str]], positional: list[Any], options: dict[str, Any]
) -> dict[str, Any]:
    """Operands and attributes by their names in the row; a keyword may end with `_`."""
    if len(positional) > len(fields):
        raise TypeError(
            f"{function_name(operation)}() takes {len(fields)} arguments but {len(positional)} were given"
        )
    names = [name for _, name in fields]
    values = dict(zip(names, positional))
    for keyword, value in options.items():
        if keyword in ("loc", "ip"):
            continue
        name = keyword if keyword in names else keyword.rstrip("_")
        if name not in names:
            raise TypeError(f"{function_name(operation)}() got an unexpected keyword argument '{keyword}'")
        values[name] = value
    return values


def _result_types(
    found: OpDefinition, free: Iterator[Any], operands: list[Any], starts: dict[str, int]
) -> list[Any]:
    types: list[Any] = []
    for rule in found.results:
        if not _follows(rule):
            types += free if rule.endswith("*") else [next(free)]
        elif rule.endswith(")"):
            function, _, name = rule[:-1].partition("(")
            types.append(_RESULT_RULES[function](ir_value(operands[starts[name]]).type))
        else:
            types.append(rule)
    return types


def _listed(given: Any) -> list[Any]:
    return [] if given is None else list(given) if isinstance(given, (list, tuple)) else [given]


def _follows(rule: str) -> bool:
    return rule.endswith(")") or rule in ("index", "i1", "i32", "i64")


def _is_type(given: Any) -> bool:
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
