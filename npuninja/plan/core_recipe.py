"""From the lowered design and the kernels to the image of one core, emulated or real."""

from __future__ import annotations

import os

from npuninja.arch.devices import DEVICES
from npuninja.errors import ToolError
from npuninja.plan.design import Core, Design
from npuninja.plan.graph import Edge, Graph
from npuninja.plan.ingredients import DesignFiles, Recipe, each, kind_of, words
from npuninja.plan.kernel_recipe import KernelObjects, plan_kernel


def plan_core(
    recipe: Recipe, graph: Graph, design: Design, core: Core, files: DesignFiles, objects: KernelObjects
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
