"""From the lowered design and the kernels to the image of one core, emulated or real."""

from __future__ import annotations

import os

from npuninja.arch.devices import DEVICES
from npuninja.detect.peano import peano_program
from npuninja.errors import ToolError
from npuninja.plan.design import Core, Design, LinkedObject
from npuninja.plan.graph import Edge, Graph
from npuninja.plan.ingredients import DesignFiles, Recipe, each, kind_of, words
from npuninja.stages import _peano_flags as peano_flags
from npuninja.stages import _wasm_flags as wasm_flags


def plan_core(
    recipe: Recipe, graph: Graph, design: Design, core: Core, files: DesignFiles, objects: set[str]
) -> str:
    """The edges to the image of one core; returns the image.

    Args:
        recipe: the choices.
        graph: takes the edges.
        design: the design.
        core: the core.
        files: of the design.
        objects: kernel objects that have an edge already.

    Raises:
        UserError: nothing makes an object that the core is linked with.
        ToolError: Peano has no target for the device.
    """
    whom = f"core ({core.column}, {core.row}) of design {design.name}"
    if recipe.choice.real_cores:
        _check_target(recipe, design)
    compiled = files.core(core, ".o")
    if recipe.choice.of("core").real:
        _plan_reference_code(recipe, graph, design, core, files, whom)
    else:
        _plan_own_code(recipe, graph, design, core, files, whom)
    kernels = [plan_kernel(recipe, graph, design, linked, objects) for linked in core.objects]
    if not recipe.choice.real_cores:
        image, info = files.core(core, ".wasm"), files.core(core, ".json")
        options: tuple[str, ...] = (
            "--kind",
            kind_of(recipe, design),
            "--core",
            f"{core.column},{core.row}",
            "--info",
            info,
        )
        graph.add(Edge("core_link", (image,), (compiled, *kernels), (info,), options=options, for_whom=whom))
        return image
    # The linker script names the kernels' objects; they are inputs of this edge, so that a new one is linked.
    image, script = files.core(core, ".elf"), files.core(core, ".ld.script")
    templates = (
        recipe.release.link if recipe.release else ("-O2", "--target={triple}", "-fuse-ld={peano}/bin/ld.lld")
    )
    options = ("--kind", kind_of(recipe, design), "--script", script, *words(templates, recipe, design, core))
    graph.add(
        Edge("core_link_peano", (image,), (compiled, *kernels), (script,), options=options, for_whom=whom)
    )
    return image


def _check_target(recipe: Recipe, design: Design) -> None:
    peano = recipe.toolchain.found("peano")
    target = DEVICES[design.device].architecture
    if peano and target not in peano.facts:
        raise ToolError(
            f"Peano {peano.version} ({peano.path}) has no target {target}, which {design.device} needs",
            design.device_location,
            hint="take a newer Peano, or --provider kernel=embedded for the emulated array",
        )


def _plan_own_code(
    recipe: Recipe, graph: Graph, design: Design, core: Core, files: DesignFiles, whom: str
) -> None:
    """Core code through C by our own emitter."""
    code, info, compiled = files.core(core, ".c"), files.core(core, ".json"), files.core(core, ".o")
    options: tuple[str, ...] = (
        "--device-symbol",
        design.device_symbol,
        "--core",
        f"{core.column},{core.row}",
    )
    # The name in debug information and fault messages; without the build folder, so that every folder gives
    # equal bytes.
    name = f"{design.name}/{os.path.basename(files.lowered)}"
    options += ("--kind", kind_of(recipe, design), "--file-name", name, "--info", info)
    graph.add(
        Edge("core_code", (code,), (files.lowered,), implicit_outputs=(info,), options=options, for_whom=whom)
    )
    if recipe.choice.real_cores:
        kind = ("--kind", kind_of(recipe, design))
        graph.add(Edge("core_cc_peano", (compiled,), (code,), options=kind, for_whom=whom))
    else:
        graph.add(Edge("core_cc", (compiled,), (code,), for_whom=whom))


def _plan_reference_code(
    recipe: Recipe, graph: Graph, design: Design, core: Core, files: DesignFiles, whom: str
) -> None:
    """Core code through LLVM IR by MLIR-AIE and Peano; one core at a time, so that an edit compiles one core
    again.
    """
    release = recipe.release
    assert release is not None

    def add(rule: str, output: str, source: str, *options: str) -> None:
        graph.add(Edge(rule, (files.core(core, output),), (source,), options=options, for_whom=whom))

    pipeline = (f"--pass-pipeline={release.core}",)
    add("core_llvm", ".opt.mlir", files.lowered, *words(pipeline, recipe, design, core))
    add("core_ir", ".ll", files.core(core, ".opt.mlir"), "--word", "--mlir-to-llvmir")
    add("core_downgrade", ".peano.ll", files.core(core, ".ll"), *each("--edit", release.edits))
    add("core_opt", ".opt.ll", files.core(core, ".peano.ll"), *words(release.opt, recipe, design, core))
    kind = ("--kind", kind_of(recipe, design))
    add("core_llc", ".o", files.core(core, ".opt.ll"), *kind, *words(release.llc, recipe, design, core))


def plan_kernel(recipe: Recipe, graph: Graph, design: Design, linked: LinkedObject, objects: set[str]) -> str:
    """The edge that makes a kernel object, once for all designs of a device; returns the object.

    Raises:
        UserError: nothing makes the object, or its name is none.
    """
    kind = kind_of(recipe, design)
    source = recipe.layout.source(recipe.kernels.source_of(linked))
    output = recipe.layout.output(design.device, kind, "kernels", linked.name)
    if output in objects:
        return output
    objects.add(output)
    whom = f"kernel {linked.name}"
    peano = recipe.toolchain.found("peano")
    if recipe.choice.real_cores and peano:
        start = peano_flags.compiler_command(peano_program(peano.path, "clang"), kind, source)
        command = (*start, *peano_flags.compile_flags(source, [], []), "-c", source, "-o", output)
        options = ("--kind", kind)
        graph.add(
            Edge(
                "kernel_cc_peano",
                (output,),
                (source,),
                options=options,
                for_whom=whom,
                compile_command=command,
            )
        )
        return output
    assert recipe.compiler is not None
    # For clangd and the like: as a plain clang understands it, since they know no `zig cc`.
    program = "clang" if recipe.compiler.compiler_words else recipe.compiler.compiler.path
    architecture = DEVICES[design.device].architecture
    flags = wasm_flags.compile_flags(source, [], architecture)
    command = (*wasm_flags.compiler_command(program, [], source), *flags, "-c", source, "-o", output)
    options = ("--architecture", architecture)
    graph.add(
        Edge("kernel_cc", (output,), (source,), options=options, for_whom=whom, compile_command=command)
    )
    return output
