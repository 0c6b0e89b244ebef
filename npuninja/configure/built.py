"""The project that a folder belongs to, as it is built: for verbs that take a design by its name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from npuninja.errors import ToolError, UserError
from npuninja.plan.designs import FOLDER, select
from npuninja.plan.layout import GRAPH

BUILD_FILE = "build.ninja"
MARKS = (BUILD_FILE, "toolchain.toml", FOLDER)


def project_folder(start: str = os.curdir) -> str:
    """The project that a folder belongs to: it, or the nearest above that looks like one.

    Raises:
        UserError: there is none.
    """
    folder = os.path.abspath(start)
    while True:
        if any(os.path.exists(os.path.join(folder, mark)) for mark in MARKS):
            return folder
        above = os.path.dirname(folder)
        if above == folder:
            raise UserError(
                f"{os.path.abspath(start)} is no project: neither it nor a folder above has {', '.join(MARKS)}",
                hint="npuninja init makes one",
            )
        folder = above


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


def read_graph(folder: str) -> dict[str, Any]:
    """graph.json of a project that is configured.

    Raises:
        UserError: it is not.
    """
    try:
        with open(os.path.join(folder, "build", GRAPH), encoding="utf-8") as stream:
            content: dict[str, Any] = json.load(stream)
            return content
    except (OSError, ValueError) as error:
        raise UserError(f"{folder} is not configured", hint="npuninja configure") from error


def built_manifest(name: str) -> str:
    """The manifest of a design of the project here, which is built if need be; relative to this folder.

    Raises:
        UserError: there is no such design.
        ToolError: it does not build; Ninja has said why.
    """
    folder = project_folder()
    if not os.path.isfile(os.path.join(folder, BUILD_FILE)):
        raise UserError(f"{folder} is not configured", hint="npuninja configure")
    code = subprocess.run(
        [ninja_program(), "-C", folder, "--quiet", name], check=False, stdout=sys.stderr
    ).returncode
    graph = read_graph(folder)
    runs = {edge["outputs"][0]: edge["inputs"][0] for edge in graph["edges"] if edge["rule"] == "run"}
    if f"run-{name}" not in runs:
        select(designs_of(graph), [name])
    if code:
        raise ToolError(f"{name} is not built: Ninja ended with exit code {code}", hint="its words are above")
    return os.path.relpath(os.path.join(folder, runs[f"run-{name}"]))


def designs_of(graph: dict[str, Any]) -> list[str]:
    """The names of the designs in a graph."""
    return [edge["outputs"][0][len("run-") :] for edge in graph["edges"] if edge["rule"] == "run"]
