"""From a finished build to the contents of its package, by the file that configure.py wrote."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from npuninja import __version__
from npuninja.device.manifest import Manifest, read_manifest
from npuninja.errors import Location, Warnings
from npuninja.files import MAX_PACKAGE_BYTES, read_file
from npuninja.packaging import contents
from npuninja.packaging.build_graph import BuildGraph, RecordedStep
from npuninja.packaging.build_plan import BuildPlan, read_build_plan
from npuninja.packaging.package import Package
from npuninja.packaging.places import BuildFolders, UsedTool
from npuninja.packaging.provenance import Dependency, write_provenance
from npuninja.packaging.recorded_reads import read_by_make, read_by_ninja
from npuninja.packaging.runner_files import (
    ENGINE,
    NPUNINJA,
    all_files,
    foreign_imports,
    own_files,
    runner_files,
)
from npuninja.packaging.sbom import require_library, write_sbom
from npuninja.records import NamedTuple


class AssembledPackage(NamedTuple):
    """The files of a package by name, and what was read for them in addition to the inputs of the edge."""

    package: Package
    emulated: bool
    files: dict[str, bytes]
    read: list[str]


class _History(NamedTuple):
    """How the designs came to be: sources, tools that were used, commands, and every file that was read."""

    sources: list[Dependency]
    tools: list[Dependency]
    steps: list[RecordedStep]
    read: set[str]


def assemble(plan_file: str, graph_file: str, warnings: Warnings) -> AssembledPackage:
    """Puts a package together, in the folder where the build's commands run; files are named as there.

    Raises:
        UserError: a file is missing or not of this build, or what `[package]` says is wrong.
        ToolError: the library for bills of materials is missing, or Ninja does not answer.
    """
    require_library()
    plan = read_build_plan(plan_file)
    package = plan.package
    manifests = {name: read_manifest(path) for name, (path, _) in plan.designs.items()}
    designs = [_packaged(manifest) for manifest in manifests.values()]
    emulated = contents.is_emulated(designs)
    parts = {name: _design_files(manifest) for name, manifest in manifests.items()}
    references: dict[str, bytes] = {}
    for name, manifest in manifests.items():
        references.update(_references(parts[name], manifest, warnings))
    runner = runner_files(references, emulated)
    if emulated:
        runner[ENGINE] = _read(plan.engine)
    files = {**runner, **own_files()}
    files[contents.PACKAGE] = contents.package_json(package, designs)
    files[contents.README] = contents.readme(package, designs)
    for part in parts.values():
        files.update(part)
    for name in package.license_files:
        files[f"{contents.LICENSES}/{name}"] = _read(plan.license_files[name])
    if not package.license_files and not package.license:
        warnings.add(
            "the package says nothing about the licence of its designs: the project has no LICENSE file"
        )

    history = _history(plan, graph_file)
    requires = dict.fromkeys(map(_distribution, contents.REQUIRES), True)
    requires.update(dict.fromkeys(map(_distribution, contents.EMULATOR_REQUIRES if emulated else ()), False))
    hashes = {name: _hashes(part) for name, part in parts.items()}
    files[contents.SBOM] = write_sbom(package, hashes, _hashes(runner), requires, history.tools)
    dependencies = [*history.sources, *history.tools]
    files[contents.PROVENANCE] = write_provenance(
        package, manifests, dependencies, history.steps, _hashes(files)
    )
    files[contents.SUMS] = contents.sums(files)
    return AssembledPackage(package, emulated, files, sorted({*history.read, *all_files()}))


def _history(plan: BuildPlan, graph_file: str) -> _History:
    with open(graph_file, encoding="utf-8") as stream:
        graph = BuildGraph(json.load(stream), plan.commands)
    roots = [manifest for manifest, _ in plan.designs.values()] + ([plan.engine] if plan.engine else [])
    edges, given = graph.behind(roots)
    found = [edge["outputs"][0] for edge in edges if graph.stage(edge) in plan.discovering]
    read = read_by_ninja(plan.ninja, plan.build_folder, found) if plan.ninja else read_by_make(found)
    read.update(given, *(sources for _, sources in plan.designs.values()))
    folders = BuildFolders(plan.source_root, os.path.abspath(plan.build_folder), NPUNINJA, plan.tools)
    words = {word for edge in edges for word in graph.words(edge)}
    tools = [_tool(tool) for tool in plan.tools if words & {tool.identity, tool.path}]
    return _History(
        _sources(read, folders), [*tools, _npuninja()], [graph.step(edge, folders) for edge in edges], read
    )


def _packaged(manifest: Manifest) -> contents.PackagedDesign:
    name = manifest.design
    return contents.PackagedDesign(
        name, f"{contents.DESIGNS}/{name}/{name}.json", manifest.device, manifest.core_kind, manifest.build_id
    )


def _design_files(manifest: Manifest) -> dict[str, bytes]:
    """The files of one design by their names in the package: as in the build, so that the manifest fits."""
    found = {manifest.path: _read(manifest.path)}
    found.update({path: manifest.read(path) for path in manifest.hashes})
    if manifest.reference:
        found.update({path: _read(path) for path in (manifest.reference, *manifest.reference_modules)})
    folder = os.path.dirname(os.path.abspath(manifest.path))
    names = {path: os.path.relpath(path, folder).replace(os.sep, "/") for path in found}
    return {f"{contents.DESIGNS}/{manifest.design}/{names[path]}": data for path, data in found.items()}


def _references(files: Mapping[str, bytes], manifest: Manifest, warnings: Warnings) -> dict[str, bytes]:
    """The reference of a design and the modules that it brings, by their names in the package; warns when
    they import what the package does not bring.
    """
    if manifest.reference is None:
        return {}
    found = {}
    for path in (manifest.reference, *manifest.reference_modules):
        name = f"{contents.DESIGNS}/{manifest.design}/{os.path.basename(path)}"
        found[name] = files[name]
    brought = {os.path.splitext(os.path.basename(path))[0] for path in manifest.reference_modules}
    foreign = {word for name, text in found.items() for word in foreign_imports(text, name)} - brought
    if foreign:
        warnings.add(
            f"the reference of {manifest.design} imports {', '.join(sorted(foreign))}, which the package "
            "neither has nor requires: its runner needs it for --verify and wherever no --input is given",
            Location(manifest.reference),
        )
    return found


def _sources(read: set[str], folders: BuildFolders) -> list[Dependency]:
    """The files that went in, by their portable names; npuninja's own are one dependency for themselves."""
    found: set[Dependency] = set()
    for path in read:
        role, name = folders.place(path)
        # What a design in Python printed lies in the build folder; the script itself is among the sources.
        if role not in ("build", "npuninja"):
            found.add(Dependency(name, role, "", contents.sha256(_read(path))))
    return sorted(found)


def _tool(tool: UsedTool) -> Dependency:
    return Dependency(tool.name, "tool", tool.version, contents.sha256(_read(tool.path)))


def _npuninja() -> Dependency:
    """npuninja as one thing: the hash of the list of its files with their hashes."""
    files = {os.path.relpath(path, NPUNINJA).replace(os.sep, "/"): _read(path) for path in all_files()}
    return Dependency("npuninja", "tool", __version__, contents.sha256(contents.sums(files)))


def _distribution(requirement: str) -> str:
    return requirement.partition(">")[0]


def _hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: contents.sha256(data) for name, data in files.items()}


def _read(path: str) -> bytes:
    return read_file(path, MAX_PACKAGE_BYTES, hint="run `ninja`, which makes it or says why not")
