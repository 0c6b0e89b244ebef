"""From what toolchain.toml says, and the files below kernels/, to the objects of kernels."""

from __future__ import annotations

import os

from npuninja.arch.devices import DEVICES
from npuninja.detect.peano import peano_program
from npuninja.errors import UserError
from npuninja.file_kinds import C_SUFFIXES
from npuninja.plan.context import Context
from npuninja.plan.design import Design, LinkedObject
from npuninja.plan.edges import FactValue, edge_of, provider_of
from npuninja.plan.graph import Graph
from npuninja.plan.kernel_settings import KernelSettings
from npuninja.plan.kernels import ASSEMBLY, BINARIES, KernelObject
from npuninja.stages import _kernel_flags as kernel_flags
from npuninja.stages import _peano_flags as peano_flags
from npuninja.stages import _wasm_flags as wasm_flags
from npuninja.stages.declaration import Provider
from npuninja.stages.table import stage

#: The objects that have their edges, and what each is made of.
KernelObjects = dict[str, KernelObject]


def plan_kernel(
    context: Context, graph: Graph, design: Design, linked: LinkedObject, objects: KernelObjects
) -> str:
    """The edges that make a kernel object, once for all designs of a device; returns the object.

    Raises:
        UserError: nothing makes the object, its name cannot be an object's, or two designs want different
            objects of one name.
    """
    kind = context.kind_of(design)
    made = context.kernels.object_of(linked, design.name)
    output = context.layout.output(design.device, kind, "kernels", *made.name.split("/"))
    other = objects.setdefault(output, made)
    if other is not made:
        if other.sources != made.sources or _flags(context, other.settings) != _flags(context, made.settings):
            raise UserError(
                f"{linked.name!r} is wanted twice, "
                f"made of {', '.join(made.sources)} and of {', '.join(other.sources)}",
                linked.location,
                hint="give one of them another name",
            )
        return output
    owner = f"kernel {made.name}"
    first = made.sources[0]
    if len(made.sources) == 1 and first.endswith((*C_SUFFIXES, *ASSEMBLY)):
        _plan_compile(context, graph, design, made, first, output, owner)
        return output
    parts = []
    for number, source in enumerate(made.sources):
        if context.kernels.is_kernel(source, made.settings):
            part_of = LinkedObject(source, made.settings.place("sources") or linked.location)
            parts.append(plan_kernel(context, graph, design, part_of, objects))
            continue
        if source.endswith(BINARIES):
            parts.append(context.layout.source(source))
            continue
        # The number keeps apart what two folders have under one name.
        stem = os.path.splitext(os.path.basename(source))[0]
        part = f"{output}.parts/{number}_{stem}.o"
        _plan_compile(context, graph, design, made, source, part, owner)
        parts.append(part)
    row = stage("kernel_join")
    known: dict[str, FactValue] = {"objects": tuple(parts), "kind": kind}
    graph.add(edge_of(row, provider_of(row, context), known, {"object": output}, owner))
    return output


def _flags(context: Context, settings: KernelSettings) -> kernel_flags.KernelFlags:
    include = tuple(context.layout.source(folder) for folder in settings.include)
    return kernel_flags.KernelFlags(
        settings.language, settings.float, settings.defines, include, settings.flags
    )


def _plan_compile(
    context: Context, graph: Graph, design: Design, made: KernelObject, named: str, output: str, owner: str
) -> None:
    """The edge from one source to an object."""
    source, asked = context.layout.source(named), _flags(context, made.settings)
    if named.endswith(ASSEMBLY):
        if not context.providers.for_npu:
            raise UserError(
                f"{named} is assembly of the AI Engine, and the cores are compiled for the emulated array",
                made.settings.place("sources"),
                hint="configure with --provider kernel=real, or name a source in C",
            )
        asked = asked._replace(language="")
    row = stage("kernel_cc")
    provider = provider_of(row, context)
    known: dict[str, FactValue] = {
        "kernel": source,
        "kind": context.kind_of(design),
        # What kernels take an emulated core for; a compiler for an NPU has it from the kind.
        "architecture": "" if context.providers.for_npu else DEVICES[design.device].architecture,
        "language": asked.language,
        "float": asked.float,
        "defines": asked.defines,
        "kernel_include": asked.include,
        "flags": asked.flags,
    }
    command = _compile_command(context, provider, design, asked, source, output)
    graph.add(edge_of(row, provider, known, {"object": output}, owner, command))


def _compile_command(
    context: Context,
    provider: Provider,
    design: Design,
    asked: kernel_flags.KernelFlags,
    source: str,
    output: str,
) -> tuple[str, ...]:
    """The compiler's own command line, for clangd and the like."""
    peano, language = context.toolchain.found("peano"), asked.language
    kind, words = context.kind_of(design), kernel_flags.words(asked)
    if provider.cores == "npu" and peano:
        start = peano_flags.compiler_command(peano_program(peano.path, "clang"), kind, source, language)
        own = peano_flags.compile_flags(source, [], [], language)
        return (*start, *own, *words, "-c", source, "-o", output)
    # As a plain clang understands it, since they know no `zig cc`.
    compiler, architecture = context.compiler, DEVICES[design.device].architecture
    program = compiler.compiler.path if compiler and not compiler.compiler_words else "clang"
    flags = wasm_flags.compile_flags(source, [], architecture, language, asked.float or "exact")
    start = wasm_flags.compiler_command(program, [], source, language)
    return (*start, *flags, *words, "-c", source, "-o", output)
