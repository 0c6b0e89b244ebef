"""Object files of cores: the `link_with` of the functions a core calls (MLIR-AIE:
aie-assign-core-link-files).
"""

from __future__ import annotations

from npuninja.errors import UserError, Warnings
from npuninja.ir.attributes import ArrayAttr, StringAttr
from npuninja.ir.core import Operation
from npuninja.lowering.tiles import ops_of


def assign_core_link_files(device: Operation, warnings: Warnings) -> None:
    """Collects in each core's `link_files` the files of the functions it calls, in order of the first call.

    Raises:
        UserError: a core has both `link_with` and `link_files`.
    """
    kernels = [op for op in ops_of(device, "func.func") if "link_with" in op.attributes]
    files = {op.string("sym_name"): op.string("link_with") for op in kernels}
    called: set[str] = set()
    for core in ops_of(device, "aie.core"):
        found: list[str] = []
        if "link_with" in core.attributes:
            if "link_files" in core.attributes:
                raise UserError("a core has either link_with or link_files, not both", core.loc)
            warnings.add(
                "link_with on a core is deprecated: put it on the func.func declarations of its kernels",
                core.loc,
            )
            found.append(core.string("link_with"))
            del core.attributes["link_with"]
        for op in core.walk():
            if op.name == "func.call":
                name = op.symbol("callee")
                called.add(name)
                if name in files and files[name] not in found:
                    found.append(files[name])
        if found:
            core.attributes["link_files"] = ArrayAttr(tuple(StringAttr(file) for file in found))
    for op in kernels:
        if op.string("sym_name") not in called:
            warnings.add(f"no core calls '@{op.string('sym_name')}', so its link_with is not used", op.loc)
