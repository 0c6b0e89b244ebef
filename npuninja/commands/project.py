"""Verbs for the project in the current folder: configure, build, test, clean, list, watch. `project_folder` finds
it, as Git finds a repository.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from typing import Any

from npuninja.errors import ToolError, UserError
from npuninja.plan.designs import FOLDER, select
from npuninja.plan.layout import GRAPH

BUILD_FILE = "build.ninja"
MARKS = (BUILD_FILE, "toolchain.toml", FOLDER)
POLL_S = 0.05


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


def configure(arguments: list[str]) -> int:
    """`npuninja configure`: as configure.py of the project."""
    from npuninja.configure.main import main as configured

    if {"-h", "--help"} & set(arguments):
        from npuninja.configure.options import parse_options

        parse_options(arguments, "npuninja configure")
    asked = any(word == "-S" or word.startswith("-S") for word in arguments)
    home = os.getcwd() if asked else project_folder()
    return configured(arguments, os.environ, sys.stdout, home)


def run_ninja(targets: list[str], *, quiet: bool = False) -> int:
    """Runs Ninja in the project; configures first where nothing is. Returns its exit code."""
    folder = project_folder()
    if not os.path.isfile(os.path.join(folder, BUILD_FILE)):
        from npuninja.configure.main import main as configured

        code = configured([], os.environ, None, folder)
        if not os.path.isfile(os.path.join(folder, BUILD_FILE)):
            return code
    command = [ninja_program(), "-C", folder, *(["--quiet"] if quiet else []), *targets]
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:
        return 130


def build(arguments: list[str]) -> int:
    """`npuninja build [TARGET…]`: what Ninja takes."""
    if {"-h", "--help"} & set(arguments):
        print(
            "usage: npuninja build [-v] [-q] [TARGET or option of Ninja …]\n\nBuilds the project: all, or targets."
        )
        return 0
    quiet = "-q" in arguments
    return run_ninja([word for word in arguments if word != "-q"], quiet=quiet)


def test(arguments: list[str]) -> int:
    """`npuninja test [DESIGN…]`."""
    if {"-h", "--help"} & set(arguments):
        print(
            "usage: npuninja test [DESIGN…]\n\nRuns and verifies all designs, or some, on the emulated array."
        )
        return 0
    quiet, names = "-q" in arguments, [word for word in arguments if word not in ("-q", "-v")]
    more = ["-v"] if "-v" in arguments else []
    return run_ninja([*more, *([f"test-{name}" for name in names] or ["test"])], quiet=quiet)


def clean(arguments: list[str]) -> int:
    """`npuninja clean`: what the build has made; with --all also what configure.py has written."""
    parser = argparse.ArgumentParser(prog="npuninja clean", description="Deletes what the build has made.")
    parser.add_argument("--all", action="store_true", help="also what configure.py wrote")
    options = parser.parse_args(arguments)
    folder = project_folder()
    if os.path.isfile(os.path.join(folder, BUILD_FILE)):
        code = subprocess.run([ninja_program(), "-C", folder, "-t", "clean"], check=False).returncode
        if code:
            return code
    if options.all:
        import shutil

        shutil.rmtree(os.path.join(folder, "build"), ignore_errors=True)
        for name in (BUILD_FILE, ".build.ninja.d", "compile_commands.json"):
            if os.path.exists(os.path.join(folder, name)):
                os.unlink(os.path.join(folder, name))
    return 0


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


def list_project(arguments: list[str]) -> int:
    """`npuninja list`: designs, devices, presets."""
    parser = argparse.ArgumentParser(
        prog="npuninja list", description="Lists designs, presets and templates."
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    options = parser.parse_args(arguments)
    from npuninja.configure.options import Options
    from npuninja.configure.project import open_project

    opened = open_project(Options(), project_folder())
    project, settings = opened.designs, opened.settings
    designs = [
        {"name": d.name, "source": d.source, "device": d.device, "cores": len(d.cores)}
        for d in project.designs
    ]
    faulty = [{"name": f.name, "source": f.source, "error": f.text.splitlines()[0]} for f in project.faulty]
    if options.json:
        print(json.dumps({"designs": designs, "faulty": faulty, "presets": list(settings.presets)}, indent=1))
        return 0
    width = max((len(str(d["name"])) for d in designs), default=0)
    for d in designs:
        print(
            f"{d['name']:{width}}  {d['device']}, {d['cores']} core{'s' * (d['cores'] != 1)}  {d['source']}"
        )
    for f in faulty:
        print(f"{f['name']}: cannot be built: {f['error']}")
    print(f"presets: {', '.join(settings.presets) or 'none'}")
    return 0


def watch(arguments: list[str]) -> int:
    """`npuninja watch DESIGN`: after every edit of what the design is made of, builds, runs and verifies it."""
    parser = argparse.ArgumentParser(
        prog="npuninja watch",
        description="Builds, runs and verifies a design after every edit, until Ctrl-C.",
    )
    parser.add_argument("design", nargs="?", help="the design; may be left out when there is one only")
    parser.add_argument("--count", type=int, default=0, metavar="N", help="end after N runs")
    options = parser.parse_args(arguments)
    folder = project_folder()
    if not os.path.isfile(os.path.join(folder, BUILD_FILE)):
        run_ninja([BUILD_FILE], quiet=True)
    names = designs_of(read_graph(folder))
    if options.design is None and len(names) != 1:
        raise UserError("which design?", hint=f"npuninja watch NAME; designs: {', '.join(names)}")
    (name,) = select(names, [options.design] if options.design else names)
    done = 0
    try:
        while True:
            started = time.monotonic()
            code = run_ninja([f"run-{name}"], quiet=True)
            done += 1
            verdict = "good" if code == 0 else f"exit code {code}"
            print(
                f"── {name}: {verdict}, {time.monotonic() - started:.2f} s; waiting for an edit", flush=True
            )
            if options.count and done >= options.count:
                return code
            before = _stamps(folder, name)
            while _stamps(folder, name) == before:
                time.sleep(POLL_S)
    except KeyboardInterrupt:
        print()
        return 0


def built_manifest(name: str) -> str:
    """The manifest of a design of the project here, which is built if need be; relative to this folder.

    Raises:
        UserError: there is no such design.
        ToolError: it does not build; Ninja has said why.
    """
    folder = project_folder()
    if not os.path.isfile(os.path.join(folder, BUILD_FILE)) and run_ninja([BUILD_FILE], quiet=True):
        raise ToolError(f"{folder} cannot be configured", hint="npuninja configure")
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


def _stamps(folder: str, name: str) -> dict[str, int]:
    """The times of the sources that a design and its neighbours are made of; headers and new files included."""
    stamps: dict[str, int] = {}
    for part in (FOLDER, "kernels", "host", "include"):
        for where, folders, files in os.walk(os.path.join(folder, part)):
            folders[:] = [f for f in folders if not f.startswith((".", "__"))]
            for file in files:
                path = os.path.join(where, file)
                try:
                    stamps[path] = os.stat(path).st_mtime_ns
                except OSError:
                    continue
    for path in ("toolchain.toml", "build.ninja.in"):
        if os.path.isfile(os.path.join(folder, path)):
            stamps[path] = os.stat(os.path.join(folder, path)).st_mtime_ns
    return stamps


VERBS = {
    "configure": configure,
    "build": build,
    "test": test,
    "clean": clean,
    "list": list_project,
    "watch": watch,
}
