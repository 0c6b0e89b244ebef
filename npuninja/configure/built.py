"""The build that a folder belongs to: for verbs that take a design by its name.

Which build is meant, the first that holds: `npuninja -B FOLDER VERB` (or the variable NPUNINJA_BUILD), a
build folder that the working folder is or lies in, the project's own build.ninja, its only build folder.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator

from npuninja import TYPE_CHECKING
from npuninja.build_places import BUILD_FILE, BUILD_VARIABLE, PROJECT_MARKS, RECORD
from npuninja.configure.record import read_project
from npuninja.errors import Location, ToolError, UserError
from npuninja.files import MAX_XCLBIN_BYTES, read_file
from npuninja.plan.designs import select
from npuninja.plan.layout import GRAPH, layout_of
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Any

MARKS = (BUILD_FILE, *PROJECT_MARKS)

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class Build(NamedTuple):
    """Where a build is.

    Attributes:
        project: the folder of the sources, absolute.
        ninja_folder: has build.ninja, absolute.
        output_folder: has graph.json and all outputs, absolute.
    """

    project: str
    ninja_folder: str
    output_folder: str

    @property
    def is_configured(self) -> bool:
        """Whether there is something for Ninja to read."""
        return os.path.isfile(os.path.join(self.ninja_folder, BUILD_FILE))

    @property
    def folder_option(self) -> tuple[str, ...]:
        """The words for configure.py that ask for this build."""
        return () if self.ninja_folder == self.project else ("-B", self.ninja_folder)


def project_folder(start: str = os.curdir) -> str:
    """The project of a folder: of the build folder it is in, else the nearest above that looks like one.

    Raises:
        UserError: there is none.
    """
    return build_of(start).project


def build_of(start: str = os.curdir) -> Build:
    """The build that is meant in a folder; what it names need not be configured yet.

    Raises:
        UserError: there is no project, or there are several builds of it and none is the project's own.
    """
    asked = os.environ.get(BUILD_VARIABLE)
    if asked:
        recorded = _recorded(os.path.abspath(asked))
        return recorded or _build(next(filter(_is_project, _upwards(start))), asked)
    found = ((folder, _recorded(folder)) for folder in _upwards(start))
    folder, build = next((folder, build) for folder, build in found if build or _is_project(folder))
    return build or _build_of_project(folder)


def _build(project: str, folder: str | None) -> Build:
    layout = layout_of(project, folder)
    return Build(project, layout.ninja_folder, layout.build_folder)


def _is_project(folder: str) -> bool:
    return any(os.path.exists(os.path.join(folder, mark)) for mark in MARKS)


def _upwards(start: str) -> Iterator[str]:
    """A folder and those above it: where a project may be. Raises UserError after the last."""
    folder = os.path.abspath(start)
    while True:
        yield folder
        if os.path.dirname(folder) == folder:
            raise UserError(
                f"{os.path.abspath(start)} is no project: "
                f"neither it nor a folder above has {', '.join(MARKS)}",
                hint="npuninja init makes one",
            )
        folder = os.path.dirname(folder)


def _recorded(folder: str) -> Build | None:
    """The build whose outputs go into a folder, by the record that configure.py left there."""
    record = os.path.join(folder, RECORD)
    if not os.path.isfile(record) or not os.path.isfile(os.path.join(folder, GRAPH)):
        return None
    project = read_project(record)
    if project is None:
        return None
    return _build(project, folder if os.path.isfile(os.path.join(folder, BUILD_FILE)) else None)


def _build_of_project(project: str) -> Build:
    own = _build(project, None)
    if own.is_configured:
        return own
    others = [
        found
        for name in sorted(os.listdir(project))
        if not name.startswith(".") and os.path.isdir(os.path.join(project, name))
        for found in [_recorded(os.path.join(project, name))]
        if found is not None and found.project == project and found.is_configured
    ]
    if len(others) > 1:
        names = ", ".join(os.path.basename(found.ninja_folder) for found in others)
        raise UserError(
            f"{project} has several build folders: {names}", hint="say which: npuninja -B FOLDER VERB"
        )
    return others[0] if others else own


def ninja_program() -> str:
    """Ninja: the one beside this Python, else the one on PATH.

    Raises:
        ToolError: there is none.
    """
    import shutil

    beside = os.path.join(os.path.dirname(sys.executable), "ninja")
    found = beside if os.path.isfile(beside) else shutil.which("ninja")
    if not found:
        raise ToolError("there is no ninja", hint="pip install ninja")
    return found


def read_graph(build: Build) -> dict[str, Any]:
    """graph.json of a build that is configured.

    Raises:
        UserError: it is not, or the file is damaged.
    """
    path = os.path.join(build.output_folder, GRAPH)
    if not os.path.isfile(path):
        raise UserError(f"{build.project} is not configured", hint="npuninja configure")
    return read_graph_file(path)


def read_graph_file(path: str) -> dict[str, Any]:
    """A graph.json. Raises UserError when it cannot be read, or is damaged."""
    try:
        content: dict[str, Any] = json.loads(read_file(path, MAX_XCLBIN_BYTES, hint="run configure.py"))
        for edge in content["edges"]:
            lists = all(isinstance(edge[key], list) for key in ("outputs", "inputs", "implicit"))
            if not (lists and isinstance(edge["outputs"][0], str) and edge["rule"]):
                raise TypeError
        return content
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise UserError(
            "not a graph that configure.py wrote", Location(path), hint="npuninja configure --fresh"
        ) from error


def meant_xclbin(word: str) -> str:
    """A file that is named by its path, or the XCLBIN of a design of this project, which is then built."""
    manifest = meant_manifest(word)
    return manifest if manifest == word else f"{os.path.splitext(manifest)[0]}.xclbin"


def built_manifest(name: str) -> str:
    """The manifest of a design of the project here, which is built if need be; relative to this folder.

    Raises:
        UserError: there is no such design.
        ToolError: it does not build; Ninja has said why.
    """
    build = build_of()
    if not build.is_configured:
        raise UserError(f"{build.project} is not configured", hint="npuninja configure")
    code = subprocess.run(
        [ninja_program(), "-C", build.ninja_folder, "--quiet", name], check=False, stdout=sys.stderr
    ).returncode
    graph = read_graph(build)
    runs = {edge["outputs"][0]: edge["inputs"][0] for edge in graph["edges"] if edge["rule"] == "run"}
    if f"run-{name}" not in runs:
        select(designs_of(graph), [name])
    if code:
        raise ToolError(f"{name} is not built: Ninja ended with exit code {code}", hint="its words are above")
    return os.path.relpath(os.path.join(build.ninja_folder, runs[f"run-{name}"]))


def meant_manifest(word: str) -> str:
    """A manifest named by its path, or by the name of a design of this project, which is then built."""
    return built_manifest(word) if is_design_name(word) else word


def meant_folder(word: str) -> str:
    """The folder of a built design that is named by its path, or by its name, which is then built."""
    return os.path.dirname(built_manifest(word)) if is_design_name(word) else word


def is_design_name(word: str) -> bool:
    """Whether a word is a name rather than a path: of a design's form, and no file or built design here."""
    return bool(_NAME.fullmatch(word)) and not (
        os.path.isfile(word) or os.path.isfile(os.path.join(word, f"{os.path.basename(word)}.json"))
    )


def designs_of(graph: dict[str, Any]) -> list[str]:
    """The names of the designs in a graph."""
    return [edge["outputs"][0][len("run-") :] for edge in graph["edges"] if edge["rule"] == "run"]
