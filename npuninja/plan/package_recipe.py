"""Packing and installing: the edges, and the file that says what a package is to hold."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from npuninja.packaging.build_plan import BuildPlan
from npuninja.packaging.places import UsedTool
from npuninja.plan.design import Design
from npuninja.plan.graph import Edge, Graph
from npuninja.plan.ingredients import DesignFiles, Recipe
from npuninja.plan.layout import GRAPH

# In the build folder, as graph.json; configure.py writes both.
PLAN = "package_plan.json"
FOLDER = "dist"  # as Python's builders call it
WHOM = "the package"


def plan_package(recipe: Recipe, graph: Graph, designs: Sequence[DesignFiles]) -> None:
    """The targets `package` and `install`, of the designs whose files these are."""
    package, layout = recipe.package, recipe.layout
    if package is None:
        return
    archive, wheel = layout.output(FOLDER, package.archive_file), layout.output(FOLDER, package.wheel_file)
    needs = [layout.source(name) for name in package.license_files]
    for files in designs:
        needs += [
            files.manifest,
            files.xclbin,
            files.insts,
            *([files.reference] if files.reference_source else []),
        ]
    if not recipe.choice.real_cores:
        graph.add(Edge("engine", (engine_file(recipe),), for_whom=WHOM))
        needs.append(engine_file(recipe))
    read = (layout.output(PLAN), layout.output(GRAPH))
    graph.add(Edge("package", (archive,), read, tuple(needs), (wheel,), ("--wheel", wheel), WHOM))
    graph.add(Edge("phony", ("package",), (archive, wheel), for_whom=WHOM))
    graph.add(Edge("install", ("install",), (archive,), options=("--prefix", recipe.prefix), for_whom=WHOM))


def engine_file(recipe: Recipe) -> str:
    """The emulator's engine, which packages with emulated cores carry."""
    return recipe.layout.output("engine.wasm")


def package_plan(recipe: Recipe, designs: Sequence[Design], commands: Mapping[str, str], ninja: str) -> str:
    """The text of package_plan.json.

    Args:
        recipe: as for the graph; its package is not None.
        designs: those of the package.
        commands: the rules' commands in the form of `npuninja.packaging.build_graph`.
        ninja: the program; "" when Make builds.
    """
    layout, toolchain = recipe.layout, recipe.toolchain
    tools = [toolchain.python, *(tool for name in toolchain.outcomes if (tool := toolchain.found(name)))]
    assert recipe.package is not None
    plan = BuildPlan(
        recipe.package,
        {
            d.name: (DesignFiles(recipe, d).manifest, [*map(layout.source, (d.source, *d.imports))])
            for d in designs
        },
        {name: layout.source(name) for name in recipe.package.license_files},
        "" if recipe.choice.real_cores else engine_file(recipe),
        layout.source_root,
        layout.output_prefix or os.curdir,
        [UsedTool(tool.tool, tool.version, tool.identity, tool.path) for tool in tools],
        commands,
        ninja,
    )
    return plan.text()
