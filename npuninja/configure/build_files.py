"""The files that configure.py writes from a graph."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from npuninja.configure.why import remember_graph
from npuninja.depfile import depfile_text
from npuninja.emit.batch import parts_of
from npuninja.emit.compile_commands import compile_commands
from npuninja.emit.graph_json import graph_json
from npuninja.emit.make import makefile
from npuninja.emit.ninja import fill_all, generator_statements, write
from npuninja.emit.place import place_build_file, remove_dead_outputs, settle
from npuninja.emit.rules import read_rules
from npuninja.plan.files import write_if_changed
from npuninja.plan.graph import Graph
from npuninja.plan.layout import GRAPH, Layout

BUILD_FILE = "build.ninja"
# What configure.py looked at. Beside build.ninja, so that `rm -r build` leaves a build that works.
GENERATOR_DEPFILE = ".build.ninja.d"


@dataclass(frozen=True)
class BuildText:
    """What a build file says beside the edges.

    Attributes:
        layout: where files are.
        template: the text of build.ninja.in.
        template_file: its name, for messages.
        places: placeholders of the template beside the graph's variables, as words of a command line.
        header: sentences for the top.
        looked_at: what configure.py is to be run again for, as build.ninja names it.
        also: what configure.py writes beside it that commands read, as build.ninja names it.
    """

    layout: Layout
    template: str
    template_file: str
    places: Mapping[str, tuple[str, ...]]
    header: tuple[str, ...]
    looked_at: tuple[str, ...]
    also: tuple[str, ...]


def write_for_ninja(graph: Graph, text: BuildText, ninja: str) -> tuple[bool, list[str]]:
    """Writes build.ninja and what belongs to it, and deletes the outputs that it no longer makes.

    Returns:
        Whether build.ninja changed, and all files that were written or were up to date.

    Raises:
        InternalError: Ninja does not accept the text.
        ToolError: Ninja does not start.
        UserError: the template has a placeholder that there is no value for.
    """
    layout = text.layout
    written = _write_data(graph, layout)
    read = {path for edge in graph.edges for path in (*edge.inputs, *edge.implicit)}
    shared = [path for path in text.looked_at if path in read]
    others = [path for path in text.looked_at if path not in read]
    depfile = os.path.join(layout.ninja_folder, GENERATOR_DEPFILE)
    write_if_changed(depfile, depfile_text(BUILD_FILE, others))
    generator = generator_statements(BUILD_FILE, text.also, shared, GENERATOR_DEPFILE)
    build_file = os.path.join(layout.ninja_folder, BUILD_FILE)
    content = write(graph, text.template, text.template_file, text.places, generator, text.header)
    changed = place_build_file(build_file, content, ninja)
    if changed and os.path.exists(os.path.join(layout.build_folder, ".ninja_log")):
        remove_dead_outputs(ninja, layout.ninja_folder)
    settle(layout.ninja_folder, [BUILD_FILE, *text.also])
    return changed, [build_file, depfile, *written]


def write_for_make(graph: Graph, text: BuildText, name: str) -> tuple[bool, list[str]]:
    """Writes a Makefile called `name`; for what is returned see `write_for_ninja`.

    Raises:
        UserError: a file's name cannot stand in a Makefile, or the template has a placeholder that there is
            no value for.
    """
    layout = text.layout
    written = _write_data(graph, layout)
    rules = read_rules(fill_all(graph, text.template, text.template_file, text.places))
    stamp = layout.output("configured")
    content = makefile(graph, rules, parts_of(text.template), name, stamp, text.looked_at, text.header)
    path = os.path.join(layout.ninja_folder, name)
    return write_if_changed(path, content), [path, *written]


def _write_data(graph: Graph, layout: Layout) -> list[str]:
    """What is written for every generator."""
    remember_graph(layout.build_folder, graph_json(graph))
    commands = os.path.join(layout.ninja_folder, "compile_commands.json")
    write_if_changed(commands, compile_commands(graph, layout.ninja_folder))
    return [os.path.join(layout.build_folder, GRAPH), commands]
