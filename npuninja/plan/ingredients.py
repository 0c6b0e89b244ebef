"""What recipes are made of: the choices, the names of the files, the words of tools."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from npuninja.arch.devices import DEVICES
from npuninja.detect.machine import Toolchain
from npuninja.detect.mlir_aie import root_of
from npuninja.detect.mlir_aie_releases import Release
from npuninja.detect.peano import peano_program
from npuninja.formats import xclbin_json
from npuninja.packaging.package import Package
from npuninja.plan.design import Core, Design
from npuninja.plan.kernels import KernelFolder
from npuninja.plan.layout import Layout
from npuninja.plan.providers import Choice, WasmCompiler

EMULATED = "wasm"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the graph.

    Attributes:
        layout: where files are.
        toolchain: the proved tools.
        compiler: what compiles for emulated cores; None when there is none, and then no choice needs it.
        choice: who does each stage.
        kernels: the sources of kernel objects.
        rules: the rules of build.ninja.in.
        batched: those of them whose stages may share a command.
        werror: whether warnings about designs and kernels are errors.
        launcher: the program that starts compilers, "" for none. `zig cc` is started without it.
        check: whether each design is run on the emulated array while it is built.
        package: what the designs are packed as; None when they are not.
        prefix: where `install` puts them.
    """

    layout: Layout
    toolchain: Toolchain
    compiler: WasmCompiler | None
    choice: Choice
    kernels: KernelFolder
    rules: frozenset[str]
    batched: frozenset[str] = frozenset()
    werror: bool = False
    launcher: str = ""
    check: bool = False
    package: Package | None = None
    prefix: str = ""

    @property
    def release(self) -> Release | None:
        """The conventions of the MLIR-AIE that is used."""
        return self.choice.release


def kind_of(recipe: Recipe, design: Design) -> str:
    """The core kind that a design is built for: `wasm`, or the architecture of its device."""
    return DEVICES[design.device].architecture if recipe.choice.real_cores else EMULATED


class DesignFiles:
    """The files of one design in the build folder, by what they are."""

    def __init__(self, recipe: Recipe, design: Design) -> None:
        kind = kind_of(recipe, design)

        folder = recipe.layout.output(design.device, kind, design.name)

        def file(name: str) -> str:
            return f"{folder}/{name}"

        self.folder = folder
        self.file = file
        self.spelled = file("design.mlir")
        self.lowered = file("input_with_addresses.mlir")
        self.physical = file("input_physical.mlir")
        self.with_elfs = file("input_physical_with_elfs.mlir")
        self.sequence = file("npu_insts.mlir")
        self.arguments = file("arguments.json")
        self.insts = file("insts.bin")
        self.cdo = (file("cdo_elfs.bin"), file("cdo_init.bin"), file("cdo_enable.bin"))
        self.bif = file(f"{design.name}.bif")
        self.pdi = file(f"{design.name}.pdi")
        # The names are stored in the XCLBIN, so they are the same for every design.
        self.partition, self.kernels, self.memories = (
            file(name)
            for name in (xclbin_json.PARTITION_FILE, xclbin_json.KERNELS_FILE, xclbin_json.MEM_TOPOLOGY_FILE)
        )
        self.xclbin = file(f"{design.name}.xclbin")
        self.manifest = file(f"{design.name}.json")
        source = design.reference or os.path.join("host", f"{design.name}.py")
        verified = os.path.isfile(os.path.join(recipe.layout.source_root, source))
        # The reference that results are compared with, and its copy; a design may have none.
        self.reference_source = recipe.layout.source(source) if verified else None
        self.reference = file("reference.py")
        self.vectors = (file("vectors_in.bin"), file("vectors_out.bin"))
        self.check = file("check.json")

    def core(self, core: Core, suffix: str) -> str:
        """A file of one core."""
        return self.file(f"core_{core.label}{suffix}")


def each(option: str, values: Sequence[str]) -> tuple[str, ...]:
    """The option in front of each of the values."""
    return tuple(word for value in values for word in (option, value))


def words(
    templates: Sequence[str], recipe: Recipe, design: Design, core: Core | None = None
) -> tuple[str, ...]:
    """Words of a release's conventions for a design or core, each behind the option that carries it to a
    stage.
    """
    model = DEVICES[design.device]
    peano = recipe.toolchain.found("peano")
    values = {
        "arch": model.architecture,
        "triple": model.triple,
        "device": design.device_symbol,
        "column": core.column if core else "",
        "row": core.row if core else "",
        "peano": root_of(peano.path) if peano else "",
    }
    return each("--word", [template.format(**values) for template in templates])


def variables(recipe: Recipe) -> dict[str, tuple[str, ...]]:
    """The words behind the variables of build.ninja.in that name tools; an absent tool has none."""
    toolchain, layout, python = recipe.toolchain, recipe.layout, recipe.toolchain.python
    maps: list[str] = []
    for prefix in (layout.source_prefix, layout.output("")):
        maps += ["--prefix-map", f"{prefix}="] if prefix else []
    launcher = ("--launcher", recipe.launcher) if recipe.launcher else ()
    found: dict[str, tuple[str, ...]] = {
        "python": (python.path,),
        "python_identity": (python.identity,),
        **dict.fromkeys(
            ("wasm_compiler", "wasm_compiler_identity", "wasm_linker", "wasm_linker_identity"), ()
        ),
        "compile_options": ("--kind", EMULATED, "--cache", layout.output("compiler_cache"), *maps),
        "warning_options": ("--werror",) if recipe.werror else (),
    }
    compiler = recipe.compiler
    if compiler:
        found["wasm_compiler"] = (
            "--compiler",
            compiler.compiler.path,
            *each("--compiler-word", compiler.compiler_words),
        )
        found["compile_options"] += launcher if not compiler.compiler_words else ()
        found["wasm_compiler_identity"] = (compiler.compiler.identity,)
        found["wasm_linker"] = (
            "--linker",
            compiler.linker.path,
            *each("--linker-word", compiler.linker_words),
        )
        found["wasm_linker_identity"] = (compiler.linker.identity,)
    used = {p.path for p in recipe.choice.providers if p.real}
    for name in ("aie-opt", "aie-translate", "bootgen", "xclbinutil"):
        tool, variable = toolchain.found(name), name.replace("-", "_")
        tool = tool if tool and (tool.path in used or (name.startswith("aie") and recipe.release)) else None
        found[variable] = (tool.path,) if tool else ()
        found[f"{variable}_identity"] = (tool.identity,) if tool else ()
    peano = toolchain.found("peano") if recipe.choice.real_cores else None
    for program in ("clang", "opt", "llc", "ld.lld"):
        found[f"peano_{program.replace('ld.', '')}"] = (peano_program(peano.path, program),) if peano else ()
    found["peano_identity"] = (peano.identity,) if peano else ()
    opt = toolchain.found("aie-opt")
    headers = each("--include", [root_of(opt.path) + "/include"]) if opt and peano else ()
    found["peano_options"] = (*headers, *maps, *launcher) if peano else ()
    return found
