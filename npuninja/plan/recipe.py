"""Designs and providers to edges: the one place that knows the order of the stages and who does them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from npuninja.detect.machine import Toolchain
from npuninja.formats import xclbin_json
from npuninja.plan.design import Core, Design
from npuninja.plan.graph import Edge, Graph
from npuninja.plan.kernels import KernelFolder
from npuninja.plan.layout import Layout
from npuninja.plan.providers import Provider, WasmCompiler
from npuninja.stages import _wasm_flags as wasm_flags

CORE_KIND = "wasm"
# Of the random inputs of `ninja run` and `ninja test`.
SEED = "1"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the graph.

    Attributes:
        layout: where files are.
        toolchain: the proved tools.
        compiler: what compiles for emulated cores.
        providers: who does each stage.
        kernels: the sources of kernel objects.
        rules: the rules of build.ninja.in.
        werror: whether warnings about designs and kernels are errors.
    """

    layout: Layout
    toolchain: Toolchain
    compiler: WasmCompiler
    providers: tuple[Provider, ...]
    kernels: KernelFolder
    rules: frozenset[str]
    werror: bool = False

    def provider(self, stage: str) -> Provider:
        """Who does a stage."""
        return next(p for p in self.providers if p.stage == stage)


def variables(recipe: Recipe) -> dict[str, tuple[str, ...]]:
    """The words behind the variables of build.ninja.in that name tools; an absent tool has none."""
    compiler, layout = recipe.compiler, recipe.layout
    bootgen = recipe.toolchain.found("bootgen") if recipe.provider("pdi").real else None
    xclbinutil = recipe.toolchain.found("xclbinutil") if recipe.provider("xclbin").real else None
    options = ["--kind", CORE_KIND, "--cache", layout.output("compiler_cache")]
    for prefix in (layout.source_prefix, layout.output("")):
        options += ["--prefix-map", f"{prefix}="] if prefix else []
    return {
        "python": (recipe.toolchain.python.path,),
        "python_identity": (recipe.toolchain.python.identity,),
        "wasm_compiler": ("--compiler", compiler.compiler.path, *_each("--compiler-word", compiler.compiler_words)),
        "wasm_compiler_identity": (compiler.compiler.identity,),
        "wasm_linker": ("--linker", compiler.linker.path, *_each("--linker-word", compiler.linker_words)),
        "wasm_linker_identity": (compiler.linker.identity,),
        "compile_options": tuple(options),
        "warning_options": ("--werror",) if recipe.werror else (),
        "bootgen": (bootgen.path,) if bootgen else (),
        "bootgen_identity": (bootgen.identity,) if bootgen else (),
        "xclbinutil": (xclbinutil.path,) if xclbinutil else (),
        "xclbinutil_identity": (xclbinutil.identity,) if xclbinutil else (),
    }


def plan(recipe: Recipe, designs: Sequence[Design]) -> Graph:
    """The graph of all designs.

    Raises:
        UserError: a design links an object that nothing makes; located in the design.
    """
    graph = Graph(recipe.rules, variables(recipe), defaults=("all",))
    objects: set[str] = set()
    for design in designs:
        _plan_design(recipe, graph, design, objects)
    names = [design.name for design in designs]
    graph.add(Edge("phony", ("all",), tuple(names), for_whom="every design"))
    graph.add(Edge("phony", ("run",), tuple(f"run-{n}" for n in names), for_whom="every design"))
    graph.add(Edge("phony", ("test",), tuple(f"test-{n}" for n in names), for_whom="every design"))
    graph.add(Edge("phony", ("ldscripts",), tuple(f"ldscripts-{n}" for n in names), for_whom="every design"))
    folders = tuple(os.path.dirname(_DesignFiles(recipe.layout, design).lowered) for design in designs)
    graph.add(Edge("size", ("size",), implicit=tuple(names), options=folders, for_whom="every design"))
    graph.add(Edge("doctor", ("doctor",), for_whom="this machine"))
    graph.check()
    return graph


class _DesignFiles:
    """The files of one design in the build folder, by what they are."""

    def __init__(self, layout: Layout, design: Design) -> None:
        def file(name: str) -> str:
            return layout.output(design.device, CORE_KIND, design.name, name)

        self.file = file
        self.lowered = file("input_with_addresses.mlir")
        self.physical = file("input_physical.mlir")
        self.sequence = file("npu_insts.mlir")
        self.arguments = file("arguments.json")
        self.insts = file("insts.bin")
        self.cdo = (file("cdo_elfs.bin"), file("cdo_init.bin"), file("cdo_enable.bin"))
        self.pdi = file(f"{design.name}.pdi")
        # The names are stored in the XCLBIN, so they are the same for every design.
        self.partition, self.kernels, self.memories = (
            file(name) for name in (xclbin_json.PARTITION_FILE, xclbin_json.KERNELS_FILE, xclbin_json.MEM_TOPOLOGY_FILE)
        )
        self.xclbin = file(f"{design.name}.xclbin")
        self.manifest = file(f"{design.name}.json")
        self.reference = file("reference.py")
        self.vectors = (file("vectors_in.bin"), file("vectors_out.bin"))

    def core(self, core: Core, suffix: str) -> str:
        """A file of one core."""
        return self.file(f"core_{core.label}{suffix}")


def _plan_design(recipe: Recipe, graph: Graph, design: Design, objects: set[str]) -> None:
    files = _DesignFiles(recipe.layout, design)
    whom = f"design {design.name}"
    symbol = ("--device-symbol", design.device_symbol)

    def add(rule: str, output: str, inputs: Sequence[str], *options: str, images: Sequence[str] = ()) -> None:
        graph.add(Edge(rule, (output,), tuple(inputs), tuple(images), options=options, for_whom=whom))

    add("lower", files.lowered, [recipe.layout.source(design.mlir)])
    add("route", files.physical, [files.lowered])
    words = (*symbol, "--sequence", design.sequence, "--arguments", files.arguments)
    graph.add(Edge("sequence", (files.sequence,), (files.lowered,), (), (files.arguments,), words, whom))
    add("insts", files.insts, [files.sequence], *symbol, "--sequence", design.sequence)
    images = [_plan_core(recipe, graph, design, core, files, objects) for core in design.cores]
    image_options = _each("--image", [f"{c.column},{c.row}={image}" for c, image in zip(design.cores, images)])

    elfs, *others = files.cdo
    options = ("--device", design.device, *symbol, *image_options, "--init", others[0], "--enable", others[1])
    graph.add(Edge("cdo", (elfs,), (files.physical,), tuple(images), tuple(others), options, whom))
    packed = ("--device", design.device, *image_options)
    add("pdi_bootgen" if recipe.provider("pdi").real else "pdi", files.pdi, files.cdo, *packed, images=images)
    _plan_xclbin(recipe, graph, design, files, packed, images)
    _plan_manifest(recipe, graph, design, files)
    add("phony", design.name, [files.manifest, files.xclbin, files.insts])
    scripts = [files.core(core, ".ld.script") for core in design.cores]
    for core, script in zip(design.cores, scripts):
        add("ldscript", script, [files.lowered], *symbol, "--core", f"{core.column},{core.row}")
    add("phony", f"ldscripts-{design.name}", scripts)


def _plan_xclbin(
    recipe: Recipe, graph: Graph, design: Design, files: _DesignFiles, options: tuple[str, ...], images: Sequence[str]
) -> None:
    """The edges from the device image to the XCLBIN; xclbinutil wants three JSON files."""
    whom = f"design {design.name}"
    if not recipe.provider("xclbin").real:
        graph.add(Edge("xclbin", (files.xclbin,), (files.pdi,), tuple(images), options=options, for_whom=whom))
        return
    json_options = ("--kernels", files.kernels, "--memories", files.memories)
    words = ("--device", design.device, *json_options)
    made = (files.kernels, files.memories)
    graph.add(Edge("xclbin_json", (files.partition,), (files.pdi,), (), made, words, whom))
    needs = (*images, files.partition, *made)
    packed = (*options, "--partition", files.partition, *json_options)
    graph.add(Edge("xclbin_xclbinutil", (files.xclbin,), (files.pdi,), needs, (), packed, whom))


def _plan_core(
    recipe: Recipe, graph: Graph, design: Design, core: Core, files: _DesignFiles, objects: set[str]
) -> str:
    """The edges from the lowered design and the kernels to the image of one core; returns the image."""
    whom = f"core ({core.column}, {core.row}) of design {design.name}"
    place = ("--core", f"{core.column},{core.row}")
    code, info, compiled = files.core(core, ".c"), files.core(core, ".json"), files.core(core, ".o")
    options: tuple[str, ...] = ("--device-symbol", design.device_symbol, *place, "--kind", CORE_KIND)
    # The name in debug information and fault messages; without the build folder, so that every folder gives equal bytes.
    options += ("--file-name", f"{design.name}/{os.path.basename(files.lowered)}", "--info", info)
    graph.add(Edge("core_code", (code,), (files.lowered,), implicit_outputs=(info,), options=options, for_whom=whom))
    graph.add(Edge("core_cc", (compiled,), (code,), for_whom=whom))
    kernels = [_plan_kernel(recipe, graph, design, core, index, objects) for index in range(len(core.objects))]
    image = files.core(core, ".wasm")
    options = ("--kind", CORE_KIND, *place, "--info", info)
    graph.add(Edge("core_link", (image,), (compiled, *kernels), (info,), options=options, for_whom=whom))
    return image


def _plan_kernel(recipe: Recipe, graph: Graph, design: Design, core: Core, index: int, objects: set[str]) -> str:
    """The edge that makes a kernel object, once for all designs of a device; returns the object."""
    linked = core.objects[index]
    source = recipe.layout.source(recipe.kernels.source_of(linked))
    output = recipe.layout.output(design.device, CORE_KIND, "kernels", linked.name)
    if output not in objects:
        objects.add(output)
        # For clangd and the like: as a plain clang understands it, since they know no `zig cc`.
        program = "clang" if recipe.compiler.compiler_words else recipe.compiler.compiler.path
        flags = wasm_flags.compile_flags(source, [])
        command = (*wasm_flags.compiler_command(program, [], source), *flags, "-c", source, "-o", output)
        graph.add(Edge("kernel_cc", (output,), (source,), for_whom=f"kernel {linked.name}", compile_command=command))
    return output


def _plan_manifest(recipe: Recipe, graph: Graph, design: Design, files: _DesignFiles) -> None:
    """The manifest, and the commands that run the design by it."""
    whom = f"design {design.name}"
    options = ["--design", design.name, "--device", design.device, "--kind", CORE_KIND]
    options += ["--arguments", files.arguments, "--xclbin", files.xclbin, "--insts", files.insts]
    options += _each("--provider", [f"{p.stage}={p.name}={p.version}" for p in recipe.providers if p.stage != "run"])
    program = [files.xclbin, files.insts]
    read, copies = [*program, files.arguments], []
    vectors: tuple[str, ...] = ()
    reference = os.path.join("host", f"{design.name}.py")
    if os.path.isfile(os.path.join(recipe.layout.source_root, reference)):
        # A copy, because the way from the manifest to the sources differs between build folders, and the manifest must not.
        source = recipe.layout.source(reference)
        options += ["--reference", source, "--reference-copy", files.reference]
        read.append(source)
        copies.append(files.reference)
        vectors = files.vectors
        asked = ("--arguments", files.arguments, "--seed", SEED, "--expected", vectors[1])
        graph.add(Edge("reference", vectors[:1], (source,), (files.arguments,), vectors[1:], asked, whom))
    graph.add(Edge("manifest", (files.manifest,), (files.lowered,), tuple(read), tuple(copies), tuple(options), whom))
    for target, device in (("run", "auto"), ("test", "emu")):
        words = ("--device", device, *(("--verify", "--seed", SEED, "--vectors", *vectors) if vectors else ()))
        needs = (*program, *copies, *vectors)
        graph.add(Edge(target, (f"{target}-{design.name}",), (files.manifest,), needs, (), words, whom))


def _each(option: str, values: Sequence[str]) -> tuple[str, ...]:
    """The option in front of each of the values."""
    return tuple(word for value in values for word in (option, value))
