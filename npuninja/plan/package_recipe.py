"""Packing and installing: the edges, and the file that says what a package is to hold."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from npuninja.packaging.build_plan import BuildPlan
from npuninja.packaging.places import UsedTool
from npuninja.plan.context import Context
from npuninja.plan.design import Design
from npuninja.plan.design_files import DesignFiles
from npuninja.plan.graph import Edge, Graph
from npuninja.plan.layout import GRAPH, PLAN
from npuninja.stages.table import module_of, rules

FOLDER = "dist"  # as Python's builders call it
OWNER = "the package"


def plan_package(context: Context, graph: Graph, designs: Sequence[DesignFiles]) -> None:
    """The targets `package` and `install`, of the designs whose files these are."""
    package, layout = context.package, context.layout
    if package is None:
        return
    archive, wheel = layout.output(FOLDER, package.archive_file), layout.output(FOLDER, package.wheel_file)
    needs = [layout.source(name) for name in package.license_files]
    for files in designs:
        # A manifest has the digests of the XCLBIN and the streams: when one of them changes, so does it.
        needs += [files["manifest"], *([files["reference"]] if files.reference_source else [])]
    if not context.providers.for_npu:
        graph.add(Edge("engine", (engine_file(context),), owner=OWNER))
        needs.append(engine_file(context))
    read = (layout.output(PLAN), layout.output(GRAPH))
    graph.add(
        Edge(
            "package",
            (archive,),
            inputs=read,
            implicit=tuple(needs),
            implicit_outputs=(wheel,),
            options=("--wheel", wheel),
            owner=OWNER,
        )
    )
    graph.add(Edge("phony", ("package",), inputs=(archive, wheel), owner=OWNER))
    graph.add(
        Edge("install", ("install",), inputs=(archive,), options=("--prefix", context.prefix), owner=OWNER)
    )


def engine_file(context: Context) -> str:
    """The emulator's engine, which packages with emulated cores carry."""
    return context.layout.output("engine.wasm")


def package_plan(context: Context, designs: Sequence[Design], commands: Mapping[str, str], ninja: str) -> str:
    """The text of package_plan.json.

    Args:
        context: as for the graph; its package is not None.
        designs: those of the package.
        commands: the rules' commands in the form of `npuninja.packaging.build_graph`.
        ninja: the program; "" when Make builds.
    """
    layout, toolchain = context.layout, context.toolchain
    tools = [toolchain.python, *(tool for name in toolchain.outcomes if (tool := toolchain.found(name)))]
    assert context.package is not None
    plan = BuildPlan(
        package=context.package,
        designs={
            d.name: (DesignFiles(context, d)["manifest"], [*map(layout.source, (d.source, *d.imports))])
            for d in designs
        },
        license_files={name: layout.source(name) for name in context.package.license_files},
        engine="" if context.providers.for_npu else engine_file(context),
        source_root=layout.source_root,
        build_folder=layout.output_prefix or os.curdir,
        tools=[UsedTool(tool.tool, tool.version, tool.identity, tool.path) for tool in tools],
        commands=commands,
        ninja=ninja,
        discovering=[
            *dict.fromkeys(module_of(row, by).name for _, row, by in rules() if row.discovers == "-o")
        ],
    )
    return plan.text()
