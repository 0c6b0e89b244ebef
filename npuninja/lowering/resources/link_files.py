"""Object files of cores: `link_with` of the functions a core calls (MLIR-AIE: aie-assign-core-link-files)."""

from __future__ import annotations

from npuninja.errors import UserError, Warnings
from npuninja.ir.attributes import ArrayAttr, StringAttr
from npuninja.ir.core import Operation
from npuninja.lowering.tiles import ops_of


def assign_core_link_files(device: Operation, warnings: Warnings) -> None:
    """Collects in each core's `link_files` the files of the functions it calls, in order of the first call;
    those of functions with `link_with_mode = "merge"` in its `link_merge_files`.

    Raises:
        UserError: a core has both `link_with` and `link_files`; a wrong `link_with_mode`; one core merges a
            file that another links.
    """
    functions = list(ops_of(device, "func.func"))
    for op in functions:
        _check_mode(op)
    kernels = {op.string("sym_name"): op for op in functions if "link_with" in op.attributes}
    called: set[str] = set()
    linked_by: dict[str, Operation] = {}
    merged: list[tuple[str, Operation]] = []
    for core in ops_of(device, "aie.core"):
        found = _own_files(core, warnings)
        merges: list[str] = []
        for name in (op.symbol("callee") for op in core.walk() if op.name == "func.call"):
            called.add(name)
            if name in kernels:
                target = merges if "link_with_mode" in kernels[name].attributes else found
                file = kernels[name].string("link_with")
                if file not in target:
                    target.append(file)
        for key, names in (("link_files", found), ("link_merge_files", merges)):
            if names:
                core.attributes[key] = ArrayAttr(tuple(map(StringAttr, names)))
        for file in found:
            linked_by.setdefault(file, core)
        merged += [(file, core) for file in merges]
    for file, core in merged:
        if file in linked_by:
            raise UserError(
                f"the core merges {file!r} into its code, and a core of the same device links it",
                core.loc,
                hint='give link_with_mode = "merge" to all functions with this file, or to none',
                notes=((f"{file!r} is linked here", linked_by[file].loc),),
            )
    for name, op in kernels.items():
        if name not in called:
            warnings.add(f"no core calls '@{name}', so its link_with is not used", op.loc)


def linked_files(core: Operation, *, merged: bool = False) -> list[str]:
    """The files that a core is linked with, in order; with `merged`, last those merged into its code."""
    found = core.strings("link_files") + (core.strings("link_merge_files") if merged else [])
    own = core.string("link_with", "")
    return found or ([own] if own else [])


def _own_files(core: Operation, warnings: Warnings) -> list[str]:
    """The file that a core's own `link_with` names, which is taken away."""
    if "link_with" not in core.attributes:
        return []
    if "link_files" in core.attributes:
        raise UserError("a core has either link_with or link_files, not both", core.loc)
    warnings.add(
        "link_with on a core is deprecated: put it on the func.func declarations of its kernels", core.loc
    )
    file = core.string("link_with")
    del core.attributes["link_with"]
    return [file]


def _check_mode(function: Operation) -> None:
    if "link_with_mode" not in function.attributes:
        return
    if "link_with" not in function.attributes:
        raise UserError(
            "link_with_mode says how the file of link_with is linked, and there is no link_with", function.loc
        )
    mode = function.string("link_with_mode")
    if mode != "merge":
        raise UserError(f"link_with_mode is {mode!r}", function.loc, hint='the only value is "merge"')
