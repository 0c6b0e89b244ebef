"""From what toolchain.toml says, and the files below kernels/, to the objects of kernels."""

from __future__ import annotations

import os

from npuninja.arch.devices import DEVICES
from npuninja.detect.peano import peano_program
from npuninja.errors import UserError
from npuninja.plan.design import Design, LinkedObject
from npuninja.plan.graph import Edge, Graph
from npuninja.plan.ingredients import Recipe, kind_of
from npuninja.plan.kernel_settings import KernelSettings
from npuninja.plan.kernels import ASSEMBLY, BINARIES, SUFFIXES, KernelObject
from npuninja.stages import _kernel_flags as kernel_flags
from npuninja.stages import _peano_flags as peano_flags
from npuninja.stages import _wasm_flags as wasm_flags

#: The objects that have their edges, and what each is made of.
KernelObjects = dict[str, KernelObject]


def plan_kernel(
    recipe: Recipe, graph: Graph, design: Design, linked: LinkedObject, objects: KernelObjects
) -> str:
    """The edges that make a kernel object, once for all designs of a device; returns the object.

    Raises:
        UserError: nothing makes the object, its name is none, or two designs want different objects of one
            name.
    """
    kind = kind_of(recipe, design)
    made = recipe.kernels.object_of(linked, design.name)
    output = recipe.layout.output(design.device, kind, "kernels", *made.name.split("/"))
    other = objects.setdefault(output, made)
    if other is not made:
        if other.sources != made.sources or _flags(recipe, other.settings) != _flags(recipe, made.settings):
            raise UserError(
                f"{linked.name!r} is wanted twice, made of {', '.join(made.sources)} and of {', '.join(other.sources)}",
                linked.location,
                hint="give one of them another name",
            )
        return output
    whom = f"kernel {made.name}"
    first = made.sources[0]
    if len(made.sources) == 1 and first.endswith((*SUFFIXES, *ASSEMBLY)):
        _plan_compile(recipe, graph, design, made, first, output, whom)
        return output
    parts = []
    for number, source in enumerate(made.sources):
        if source.endswith(BINARIES):
            parts.append(recipe.layout.source(source))
            continue
        # The number keeps apart what two folders have under one name.
        stem = os.path.splitext(os.path.basename(source))[0]
        part = f"{output}.parts/{number}_{stem}.o"
        _plan_compile(recipe, graph, design, made, source, part, whom)
        parts.append(part)
    rule = "kernel_join_peano" if recipe.choice.real_cores else "kernel_join"
    graph.add(Edge(rule, (output,), tuple(parts), options=("--kind", kind), for_whom=whom))
    return output


def _flags(recipe: Recipe, settings: KernelSettings) -> kernel_flags.KernelFlags:
    include = tuple(recipe.layout.source(folder) for folder in settings.include)
    return kernel_flags.KernelFlags(
        settings.language, settings.float, settings.defines, include, settings.flags
    )


def _plan_compile(
    recipe: Recipe, graph: Graph, design: Design, made: KernelObject, named: str, output: str, whom: str
) -> None:
    """The edge from one source to an object."""
    kind = kind_of(recipe, design)
    source, asked = recipe.layout.source(named), _flags(recipe, made.settings)
    if named.endswith(ASSEMBLY):
        if not recipe.choice.real_cores:
            raise UserError(
                f"{named} is assembly of the AI Engine, and the cores are compiled for the emulated array",
                made.settings.place("sources"),
                hint="configure with --provider kernel=real, or name a source in C",
            )
        asked = asked._replace(language="")
    options, words = kernel_flags.to_options(asked), kernel_flags.words(asked)
    language = asked.language
    peano = recipe.toolchain.found("peano")
    if recipe.choice.real_cores and peano:
        start = peano_flags.compiler_command(peano_program(peano.path, "clang"), kind, source, language)
        own = peano_flags.compile_flags(source, [], [], language)
        command = (*start, *own, *words, "-c", source, "-o", output)
        edge = Edge(
            "kernel_cc_peano",
            (output,),
            (source,),
            options=("--kind", kind, *options),
            for_whom=whom,
            compile_command=command,
        )
        graph.add(edge)
        return
    assert recipe.compiler is not None
    # For clangd and the like: as a plain clang understands it, since they know no `zig cc`.
    program = "clang" if recipe.compiler.compiler_words else recipe.compiler.compiler.path
    architecture = DEVICES[design.device].architecture
    flags = wasm_flags.compile_flags(source, [], architecture, language, asked.float or "exact")
    start = wasm_flags.compiler_command(program, [], source, language)
    command = (*start, *flags, *words, "-c", source, "-o", output)
    graph.add(
        Edge(
            "kernel_cc",
            (output,),
            (source,),
            options=("--architecture", architecture, *options),
            for_whom=whom,
            compile_command=command,
        )
    )
