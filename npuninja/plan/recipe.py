"""Designs and providers to edges: the one place that knows the order of the stages and who does them."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from npuninja.errors import Error
from npuninja.plan.aiecc_recipe import plan_aiecc
from npuninja.plan.batch import plan_batches
from npuninja.plan.core_recipe import plan_core
from npuninja.plan.design import Design
from npuninja.plan.designs import RESERVED, Faulty, faulty
from npuninja.plan.graph import Edge, Graph
from npuninja.plan.ingredients import DesignFiles, Recipe, each, kind_of, variables, words
from npuninja.plan.kernel_recipe import KernelObjects, plan_kernel
from npuninja.plan.layout import Layout
from npuninja.plan.names import is_name
from npuninja.plan.package_recipe import plan_package

# Of the random inputs of `ninja run` and `ninja test`.
SEED = "1"


def plan(
    recipe: Recipe,
    designs: Sequence[Design],
    emulated: Recipe | None = None,
    wanted: Sequence[str] | None = None,
    refused: list[Faulty] | None = None,
) -> Graph:
    """The graph of all designs.

    Args:
        recipe: what is built by default and run.
        designs: all of them.
        emulated: the same for emulated cores, which `ninja test` runs; None when there is no compiler for
            them. When the recipe itself is for emulated cores, that one is tested.
        wanted: the names of those that are built, run and packed when none is named; None for all.
        refused: the designs that cannot be built; those that are found here are added. None: the first such
            design is an error.

    Raises:
        UserError: a design links an object that nothing makes; located in the design.
        ToolError: Peano has no target for the device of a design.
    """
    tested = emulated if recipe.choice.real_cores else recipe
    graph = Graph(recipe.rules, variables(recipe), defaults=("all",))
    objects: KernelObjects = {}
    built: dict[str, DesignFiles] = {}
    for design in designs:
        edges, known = len(graph.edges), dict(objects)
        try:
            built[design.name] = _plan_whole_design(recipe, tested, graph, design, objects)
        except Error as error:
            if refused is None:
                raise
            graph.back_to(edges)
            objects.clear()
            objects.update(known)
            refused.append(faulty(design.name, design.source, error))
    chosen = [name for name in built if wanted is None or name in wanted]
    faults = _Faults(recipe, graph, [f for f in refused or () if f.name not in built], wanted)
    graph.add(Edge("phony", ("all",), (*chosen, *faults.behind("", chosen)), for_whom="every design"))
    for target in ("run", "test-npu", *(["test"] if tested is not None else [])):
        names = tuple(f"{target}-{name}" for name in chosen)
        graph.add(Edge("phony", (target,), (*names, *faults.behind(target, names)), for_whom="every design"))
    if not recipe.choice.aiecc:
        graph.add(
            Edge("phony", ("ldscripts",), tuple(f"ldscripts-{n}" for n in chosen), for_whom="every design")
        )
        folders = tuple(built[name].folder for name in chosen)
        graph.add(Edge("size", ("size",), implicit=tuple(chosen), options=folders, for_whom="every design"))
    plan_package(recipe, graph, [built[name] for name in chosen])
    graph.add(Edge("doctor", ("doctor",), for_whom="this machine"))
    graph.check()
    graph.batches = plan_batches(graph.edges, recipe.batched)
    return graph


def _plan_whole_design(
    recipe: Recipe, tested: Recipe | None, graph: Graph, design: Design, objects: KernelObjects
) -> DesignFiles:
    """A design with its targets, for the recipe and for the one that is tested."""
    files = _plan_design(recipe, graph, design, objects)
    checks: tuple[str, ...] = ()
    _plan_run(graph, design, files, "run", "auto")
    _plan_run(graph, design, files, "test-npu", "npu")
    if tested is not None:
        others = files if tested is recipe else _plan_design(tested, graph, design, objects)
        _plan_run(graph, design, others, "test", "emu")
        if recipe.check:
            checks = (_plan_check(graph, design, others),)
    _plan_targets(graph, design, files, checks)
    return files


class _Faults:
    """Targets of designs that cannot be built: each says why, and fails.

    Those of all designs together stand behind the good ones, so that the good ones are made first.
    """

    def __init__(
        self, recipe: Recipe, graph: Graph, refused: Sequence[Faulty], wanted: Sequence[str] | None
    ) -> None:
        self._graph = graph
        self._wanted = [f for f in refused if wanted is None or f.name in wanted]
        self._file = functools.partial(fault_file, recipe.layout)
        for fault in refused:
            if not is_name(fault.name) or fault.name in RESERVED:
                continue
            for target in ("", "run-", "test-", "test-npu-"):
                name = target + fault.name
                if not graph.makes(name):
                    self._add(name, [fault])

    def behind(self, target: str, names: Sequence[str]) -> tuple[str, ...]:
        """The target that says all faults when the targets `names` are done; () without faults."""
        if not self._wanted:
            return ()
        name = f"faulty-designs-{target}" if target else "faulty-designs"
        self._add(name, self._wanted, names)
        return (name,)

    def _add(self, name: str, refused: Sequence[Faulty], names: Sequence[str] = ()) -> None:
        options = tuple(self._file(fault.name) for fault in refused)
        self._graph.add(
            Edge(
                "faulty", (name,), (), tuple(names), options=options, for_whom="designs that cannot be built"
            )
        )


def fault_file(layout: Layout, name: str) -> str:
    """Where the error of a design that cannot be built is kept, as build.ninja names it."""
    return layout.output("faults", f"{name}.txt")


def _plan_targets(graph: Graph, design: Design, files: DesignFiles, checks: tuple[str, ...]) -> None:
    """The names by which a user asks for a design."""
    whom = f"design {design.name}"
    made = (files.manifest, files.xclbin, files.insts)
    graph.add(Edge("phony", (design.name,), made, for_whom=whom, validations=checks))
    scripts = tuple(files.core(core, ".ld.script") for core in design.cores)
    if all(graph.makes(script) for script in scripts):
        graph.add(Edge("phony", (f"ldscripts-{design.name}",), scripts, for_whom=whom))


def _plan_design(recipe: Recipe, graph: Graph, design: Design, objects: KernelObjects) -> DesignFiles:
    """The edges from a design to its manifest."""
    files = DesignFiles(recipe, design)
    whom = f"design {design.name}"
    symbol = ("--device-symbol", design.device_symbol)
    source = _plan_lowering(recipe, graph, design, files)
    if recipe.choice.aiecc:
        kernels = [
            plan_kernel(recipe, graph, design, linked, objects)
            for core in design.cores
            for linked in core.objects
        ]
        plan_aiecc(recipe, graph, design, files, source, list(dict.fromkeys(kernels)))
        _plan_manifest(recipe, graph, design, files)
        return files

    def add(rule: str, output: str, inputs: Sequence[str], *options: str, images: Sequence[str] = ()) -> None:
        graph.add(Edge(rule, (output,), tuple(inputs), tuple(images), options=options, for_whom=whom))

    release = recipe.release if recipe.choice.of("route").real else None
    if release:
        add("route_aie_opt", files.physical, [files.lowered], *words(release.route, recipe, design))
    else:
        add("route", files.physical, [files.lowered])
    by_tool = recipe.choice.of("insts").real
    asked = (*symbol, "--sequence", design.sequence)
    add("insts_aie_translate" if by_tool else "insts", files.insts, [files.sequence], *asked)
    script_rule = "ldscript_aie_translate" if recipe.choice.of("ldscript").real else "ldscript"
    for core in design.cores:
        place = ("--core", f"{core.column},{core.row}")
        add(script_rule, files.core(core, ".ld.script"), [files.lowered], *symbol, *place)
    images = [plan_core(recipe, graph, design, core, files, objects) for core in design.cores]
    image_options = each("--image", [f"{c.column},{c.row}={image}" for c, image in zip(design.cores, images)])
    _plan_cdo(recipe, graph, design, files, images, image_options)
    packed = ("--device", design.device, *image_options)
    if recipe.choice.of("pdi").real:
        add("bif", files.bif, [], *each("--cdo", files.cdo))
        add("pdi_bootgen", files.pdi, files.cdo, *packed, "--bif", files.bif, images=[files.bif, *images])
    else:
        add("pdi", files.pdi, files.cdo, *packed, images=images)
    _plan_xclbin(recipe, graph, design, files, packed, images)
    _plan_manifest(recipe, graph, design, files)
    return files


def _plan_lowering(recipe: Recipe, graph: Graph, design: Design, files: DesignFiles) -> str:
    """The edges to the lowered design and its sequence; returns the design as the tools read it."""
    whom = f"design {design.name}"
    source = recipe.layout.source(design.mlir)
    release, spelling = recipe.release, recipe.choice.spelling
    if spelling:
        options: tuple[str, ...] = ("--sequence-op", spelling.sequence_op)
        options += ("--allocation-has-tile",) if spelling.allocation_has_tile else ()
        options += ("--functions-link",) if spelling.functions_link else ()
        graph.add(Edge("spell", (files.spelled,), (source,), options=options, for_whom=whom))
        source = files.spelled
    if release and recipe.choice.of("lower").real:
        place = release.place + "," if design.logical_tiles and release.place else ""
        asked = words((f"--pass-pipeline=builtin.module({place}{release.lower})",), recipe, design)
        graph.add(Edge("lower_aie_opt", (files.lowered,), (source,), options=asked, for_whom=whom))
    else:
        asked = ("--generation", design.generation) if design.generation != "auto" else ()
        asked += ("--alloc-scheme", design.alloc_scheme) if design.alloc_scheme else ()
        graph.add(Edge("lower", (files.lowered,), (source,), options=asked, for_whom=whom))
    options = (
        "--device-symbol",
        design.device_symbol,
        "--sequence",
        design.sequence,
        "--arguments",
        files.arguments,
    )
    rule = "sequence"
    if release and recipe.choice.of("sequence").real:
        rule = "sequence_aie_opt"
        options += words((f"--pass-pipeline={release.sequence}",), recipe, design)
    graph.add(Edge(rule, (files.sequence,), (files.lowered,), (), (files.arguments,), options, whom))
    return source


def _plan_cdo(
    recipe: Recipe,
    graph: Graph,
    design: Design,
    files: DesignFiles,
    images: Sequence[str],
    image_options: tuple[str, ...],
) -> None:
    """The edges from routing and core images to the configuration."""
    whom = f"design {design.name}"
    symbol = ("--device-symbol", design.device_symbol)
    elfs, *others = files.cdo
    options = ("--device", design.device, *symbol, *image_options, "--init", others[0], "--enable", others[1])
    if not recipe.choice.of("cdo").real:
        graph.add(Edge("cdo", (elfs,), (files.physical,), tuple(images), tuple(others), options, whom))
        return
    # Only the names of the ELFs are needed here, not their content: it waits for no linker.
    graph.add(
        Edge(
            "core_elfs",
            (files.with_elfs,),
            (files.physical,),
            options=(*symbol, *image_options),
            for_whom=whom,
        )
    )
    graph.add(
        Edge("cdo_aie_translate", (elfs,), (files.with_elfs,), tuple(images), tuple(others), options, whom)
    )


def _plan_xclbin(
    recipe: Recipe,
    graph: Graph,
    design: Design,
    files: DesignFiles,
    options: tuple[str, ...],
    images: Sequence[str],
) -> None:
    """The edges from the device image to the XCLBIN; xclbinutil wants three JSON files."""
    whom = f"design {design.name}"
    if not recipe.choice.of("xclbin").real:
        graph.add(
            Edge("xclbin", (files.xclbin,), (files.pdi,), tuple(images), options=options, for_whom=whom)
        )
        return
    json_options = ("--kernels", files.kernels, "--memories", files.memories)
    words = ("--device", design.device, *json_options)
    made = (files.kernels, files.memories)
    graph.add(Edge("xclbin_json", (files.partition,), (files.pdi,), (), made, words, whom))
    needs = (*images, files.partition, *made)
    packed = (*options, "--partition", files.partition, *json_options)
    graph.add(Edge("xclbin_xclbinutil", (files.xclbin,), (files.pdi,), needs, (), packed, whom))


def _plan_manifest(recipe: Recipe, graph: Graph, design: Design, files: DesignFiles) -> None:
    """The manifest, the copy of the reference, and what the reference says."""
    whom = f"design {design.name}"
    options = ["--design", design.name, "--device", design.device, "--kind", kind_of(recipe, design)]
    options += ["--arguments", files.arguments, "--xclbin", files.xclbin, "--insts", files.insts]
    options += each(
        "--provider", [f"{p.stage}={p.name}={p.version}" for p in recipe.choice.providers if p.stage != "run"]
    )
    read, copies = [files.xclbin, files.insts, files.arguments], []
    source, vectors = files.reference_source, files.vectors
    if source:
        # A copy, because the way from the manifest to the sources differs between build folders, and the
        # manifest must not.
        options += ["--reference", source, "--reference-copy", files.reference]
        read.append(source)
        copies.append(files.reference)
        asked = ("--arguments", files.arguments, "--seed", SEED, "--expected", vectors[1])
        graph.add(Edge("reference", vectors[:1], (source,), (files.arguments,), vectors[1:], asked, whom))
    graph.add(
        Edge(
            "manifest", (files.manifest,), (files.lowered,), tuple(read), tuple(copies), tuple(options), whom
        )
    )


def _plan_run(graph: Graph, design: Design, files: DesignFiles, target: str, device: str) -> None:
    """The command that runs a design by its manifest."""
    needs: tuple[str, ...] = (files.xclbin, files.insts)
    options: tuple[str, ...] = ("--device", device)
    if files.reference_source:
        needs += (files.reference, *files.vectors)
        options += ("--verify", "--seed", SEED, "--vectors", *files.vectors)
    name = f"{target}-{design.name}"
    graph.add(Edge(target, (name,), (files.manifest,), needs, (), options, f"design {design.name}"))


def _plan_check(graph: Graph, design: Design, files: DesignFiles) -> str:
    """The edge that runs a design on the emulated array, for nothing but to see that it ends; returns what it
    makes.
    """
    inputs = files.vectors[:1] if files.reference_source else ()
    options = each("--inputs", inputs)
    needs = (files.xclbin, files.insts, *inputs)
    graph.add(Edge("check", (files.check,), (files.manifest,), needs, (), options, f"design {design.name}"))
    return files.check
