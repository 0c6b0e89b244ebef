"""Step 4 of configure.py, `write`: the files that a plan becomes."""

from __future__ import annotations

import os
import sys

from npuninja.build_places import BUILD_FILE, COMPILERS, DESIGNS, RECORD
from npuninja.configure.faults import sources_of, write_faults
from npuninja.configure.options import makefile_name
from npuninja.configure.planned import PACKAGE
from npuninja.configure.planning import Plan
from npuninja.configure.project import configure_words
from npuninja.configure.remote import REMOTE_SETTINGS
from npuninja.configure.template import generated_sources
from npuninja.configure.watched import settle
from npuninja.configure.why import remember_graph
from npuninja.depfile import depfile_text
from npuninja.detect.machine import TOOLS
from npuninja.emit.compile_commands import compile_commands
from npuninja.emit.graph_json import graph_json
from npuninja.emit.make import makefile
from npuninja.emit.ninja import generator_statements, template_line
from npuninja.emit.ninja import write as build_file_text
from npuninja.emit.place import place_build_file, remove_dead_outputs
from npuninja.emit.shared_batches import SharedBatches, shared_batches
from npuninja.errors import Location
from npuninja.files import write_if_changed
from npuninja.plan.designs import HOST
from npuninja.plan.graph import Graph
from npuninja.plan.layout import BATCHES, GRAPH, PLAN, Layout
from npuninja.plan.package_recipe import package_plan
from npuninja.records import record, replace
from npuninja.remote.identities import package_files

# What configure.py looked at. Beside build.ninja, so that `rm -r build` leaves a build that works.
GENERATOR_DEPFILE = ".build.ninja.d"
COMMANDS = "compile_commands.json"
# Loaded only to scan a design that changed; what Ninja watches must not depend on whether one did.
SCANNING = ("npuninja.plan.scan", "npuninja.ir.parser", "npuninja.lowering.resources.place_tiles")


@record(frozen=True, kw_only=True)
class Watched:
    """What configure.py is run again for, and what it writes besides the build file, by their names in it.

    Attributes:
        read: files and folders.
        written: files.
        made_first: sources that statements of build.ninja.in make, which may not be there yet.
    """

    read: tuple[str, ...]
    written: tuple[str, ...]
    made_first: tuple[str, ...]


@record(frozen=True, kw_only=True)
class BuildFiles:
    """What `write` did.

    Attributes:
        changed: whether the build file changed.
        written: all files that were written or were up to date.
        watched_files: what configure.py is run again for.
        made: what Ninja takes for the outputs of a configure; () for Make.
        awaited: sources that statements of build.ninja.in make and that are not there yet, and where.
    """

    changed: bool
    written: tuple[str, ...]
    watched_files: tuple[str, ...]
    made: tuple[str, ...]
    awaited: tuple[tuple[str, Location], ...] = ()


def write(plan: Plan) -> BuildFiles:
    """Writes the build file and what belongs to it.

    Raises:
        InternalError: Ninja does not accept the text.
        ToolError: Ninja does not start.
        UserError: build.ninja.in has an unknown placeholder, or a statement that Ninja refuses or that makes
            what is made anyhow; or a file's name cannot be in a Makefile.
    """
    project, machine = plan.causes.project, plan.causes.machine
    layout = project.layout
    watched = _watched(plan)
    configured = (COMMANDS, *map(layout.output, (RECORD, COMPILERS)), *watched.written, *_written_for(plan))
    project.template.check(plan.graph, configured)
    if machine.remote:
        write_if_changed(os.path.join(layout.build_folder, REMOTE_SETTINGS), machine.remote.as_json())
    package_file = os.path.join(layout.build_folder, PLAN)
    found = plan.designs
    packed = [design for design in found.designs if design.name in found.wanted]
    commands = project.template.commands()
    write_if_changed(package_file, package_plan(plan.context, packed, commands, machine.ninja))
    written = [package_file, *write_faults(layout, found.faulty), *_write_data(plan.graph, layout)]
    done = _for_ninja(plan, watched) if machine.ninja else _for_make(plan, watched)
    awaited = tuple(
        (path, project.template.outputs[path].place)
        for path in watched.made_first
        if not os.path.exists(os.path.join(layout.ninja_folder, path))
    )
    return replace(done, written=(*done.written, *written), awaited=awaited)


def _for_ninja(plan: Plan, watched: Watched) -> BuildFiles:
    """Writes build.ninja, and deletes the outputs that it no longer makes."""
    causes, layout, graph = plan.causes, plan.causes.project.layout, plan.graph
    template, ninja = causes.project.template, causes.machine.ninja
    read = {path for edge in graph.edges for path in (*edge.inputs, *edge.implicit)}
    own = template.outputs
    watched_files = [path for path in watched.read if path not in watched.made_first]
    shared = [*(path for path in watched_files if path in read), *watched.made_first]
    others = [path for path in watched_files if path not in read]
    depfile = os.path.join(layout.ninja_folder, GENERATOR_DEPFILE)
    write_if_changed(depfile, depfile_text(BUILD_FILE, others))
    batches = _write_batches(plan)
    made = (*watched.written, *batches.files)
    generator = generator_statements(BUILD_FILE, made, shared, GENERATOR_DEPFILE, own)
    build_file = os.path.join(layout.ninja_folder, BUILD_FILE)
    content = build_file_text(graph, template, causes.placeholders, generator, causes.header, batches)
    changed = place_build_file(build_file, content, ninja, template, template_line(causes.header))
    if changed and os.path.exists(os.path.join(layout.build_folder, ".ninja_log")):
        remove_dead_outputs(ninja, layout.ninja_folder)
    _remove_dead_batches(layout, batches)
    settle(layout.ninja_folder, [BUILD_FILE, *made])
    files = (
        build_file,
        depfile,
        *(os.path.join(layout.ninja_folder, path) for path in batches.files),
    )
    return BuildFiles(changed=changed, written=files, watched_files=watched.read, made=(BUILD_FILE, *made))


def _write_batches(plan: Plan) -> SharedBatches:
    """Writes the words that batches share. Another machine sees a command's files only: words stay in it."""
    causes, graph = plan.causes, plan.graph
    layout, template = causes.project.layout, causes.project.template
    folder = "" if graph.remote_rules else layout.output(BATCHES)
    shared = shared_batches(
        graph.batches, template.batch_parts, template.filled(graph, causes.placeholders), folder
    )
    for path, content in shared.files.items():
        write_if_changed(os.path.join(layout.ninja_folder, path), content)
    return shared


def _remove_dead_batches(layout: Layout, batches: SharedBatches) -> None:
    folder = os.path.join(layout.build_folder, BATCHES)
    live = {os.path.basename(path) for path in batches.files}
    for name in set(os.listdir(folder) if os.path.isdir(folder) else ()) - live:
        os.unlink(os.path.join(folder, name))


def _for_make(plan: Plan, watched: Watched) -> BuildFiles:
    """Writes the Makefile; says what was written and whether it changed."""
    causes, layout = plan.causes, plan.causes.project.layout
    template, name = causes.project.template, makefile_name(causes.project.options.build_folder)
    rules = template.filled(plan.graph, causes.placeholders)
    stamp = layout.output("configured")
    read = tuple(dict.fromkeys((*watched.read, *watched.made_first)))
    content = makefile(plan.graph, rules, template.batch_parts, name, stamp, read, causes.header)
    path = os.path.join(layout.ninja_folder, name)
    changed = write_if_changed(path, content)
    return BuildFiles(changed=changed, written=(path,), watched_files=watched.read, made=())


def _write_data(graph: Graph, layout: Layout) -> list[str]:
    """What is written for every generator."""
    remember_graph(layout.build_folder, graph_json(graph))
    commands = os.path.join(layout.ninja_folder, COMMANDS)
    write_if_changed(commands, compile_commands(graph, layout.ninja_folder))
    return [os.path.join(layout.build_folder, GRAPH), commands]


def _watched(plan: Plan) -> Watched:
    project, machine = plan.causes.project, plan.causes.machine
    layout, settings = project.layout, project.settings
    inputs = [*configure_words(project.home)[:1], project.template.file]
    # Without a toolchain.toml, the folder where a new one would be.
    inputs += [settings.file or os.curdir, *(text.file for text in project.template.included)]
    inputs += [file for design in plan.designs.designs for file in (design.source, *design.imports)]
    inputs += [file for fault in plan.designs.faulty for file in sources_of(fault)]
    inputs += [*([DESIGNS] if os.path.isdir(DESIGNS) else []), *machine.kernels.folders]
    inputs += [HOST] if project.references is not None else []
    inputs += [*_planning_modules(), *plan.modules.files, *project.package.license_files]
    inputs += [*package_files(PACKAGE), machine.remote.trexe] if machine.remote else []
    used = [(tool, found) for tool in TOOLS if (found := machine.toolchain.found(tool.name))]
    inputs += [file for tool, found in used for file in (found.path, *tool.companions(found.path))]
    made = [layout.from_build_folder(d.mlir) for d in plan.designs.designs if d.mlir != d.source]
    return Watched(
        read=tuple(sorted({layout.source(file) for file in inputs})),
        written=(*made, layout.output(PLAN), layout.output(GRAPH)),
        made_first=generated_sources(project.template, plan.graph, layout),
    )


def _written_for(plan: Plan) -> tuple[str, ...]:
    """What `write` writes for the generator, as the build file names it."""
    project = plan.causes.project
    if plan.causes.machine.ninja:
        return (BUILD_FILE, GENERATOR_DEPFILE)
    return (makefile_name(project.options.build_folder), project.layout.output("configured"))


def _planning_modules() -> list[str]:
    """The modules of npuninja that planning has loaded. Those of `SCANNING` are among the stages'."""
    files = {
        getattr(module, "__file__", None) or ""
        for name, module in sys.modules.items()
        if name.startswith("npuninja")
    }
    for folder in ("ir", "plan"):
        files.update(
            os.path.join(PACKAGE, folder, name) for name in os.listdir(os.path.join(PACKAGE, folder))
        )
    return [file for file in files if file.endswith(".py")]
