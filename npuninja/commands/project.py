"""Verbs for the project in the current folder: configure, build, test, clean, list, watch. `build_of` finds it
and its build folder, as Git finds a repository.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

from npuninja.argument_parser import VerbParser
from npuninja.configure.built import (
    BUILD_FILE,
    Build,
    build_of,
    designs_of,
    ninja_program,
    project_folder,
    read_graph,
)
from npuninja.errors import UserError
from npuninja.own_compiler import RECORD
from npuninja.plan.designs import FOLDER, select

POLL_S = 0.05


def configure(arguments: list[str]) -> int:
    """`npuninja configure`: as configure.py of the project."""
    from npuninja.configure.main import main as configure_project

    if {"-h", "--help"} & set(arguments):
        from npuninja.configure.options import parse_options

        parse_options(arguments, "npuninja configure")
    if any(word.startswith("-S") or word == "--regenerate" for word in arguments):
        return configure_project(arguments, os.environ, sys.stdout, os.getcwd())
    if any(word.startswith("-B") for word in arguments):
        return configure_project(arguments, os.environ, sys.stdout, project_folder())
    build = build_of()
    return configure_project([*build.folder_option, *arguments], os.environ, sys.stdout, build.project)


def configured() -> int:
    """Configures the project here when nothing is yet; the exit code of that, 0 when there is a build."""
    build = build_of()
    if build.is_configured:
        return 0
    from npuninja.configure.main import main as configure_project

    code = configure_project(build.folder_option, os.environ, None, build.project)
    return 0 if build.is_configured else code


def run_ninja(targets: list[str], *, quiet: bool = False) -> int:
    """Runs Ninja in the project; configures first where nothing is. Returns its exit code."""
    code = configured()
    if code:
        return code
    build = build_of()
    # Ninja says the folder only where it is another one; as editors and people find paths that way.
    elsewhere = [] if os.path.samefile(build.ninja_folder, os.curdir) else ["-C", build.ninja_folder]
    command = [ninja_program(), *elsewhere, *(["--quiet"] if quiet else []), *targets]
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
    parser = VerbParser(prog="npuninja clean", description="Deletes what the build has made.")
    parser.add_argument("--all", action="store_true", help="also what configure.py wrote")
    options = parser.parse_args(arguments)
    build = build_of()
    if build.is_configured:
        command = [ninja_program(), "-C", build.ninja_folder, "-t", "clean"]
        code = subprocess.run(command, check=False).returncode
        if code:
            return code
    if options.all:
        _delete_all(build)
    return 0


def _delete_all(build: Build) -> None:
    """Deletes the build folder when configure.py has made it, and what configure.py wrote elsewhere."""
    import shutil

    if os.path.isfile(os.path.join(build.output_folder, RECORD)):
        shutil.rmtree(build.output_folder, ignore_errors=True)
    if build.ninja_folder == build.project:
        for name in (BUILD_FILE, ".build.ninja.d", "compile_commands.json"):
            if os.path.exists(os.path.join(build.ninja_folder, name)):
                os.unlink(os.path.join(build.ninja_folder, name))


def list_project(arguments: list[str]) -> int:
    """`npuninja list`: designs, devices, presets."""
    parser = VerbParser(prog="npuninja list", description="Lists designs, presets and templates.")
    parser.add_argument("--json", action="store_true", help="as JSON")
    options = parser.parse_args(arguments)
    from npuninja.configure.options import Options
    from npuninja.configure.project import open_project

    opened = open_project(Options(), project_folder())
    project, settings = opened.designs, opened.settings
    designs = [
        {
            "name": d.name,
            "source": d.source,
            "device": d.device,
            "cores": sum(len(c.cores) for c in d.configurations),
        }
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
    parser = VerbParser(
        prog="npuninja watch",
        description="Builds, runs and verifies a design after every edit, until Ctrl-C.",
    )
    parser.add_argument("design", nargs="?", help="the design; may be left out when there is one only")
    parser.add_argument("--count", type=int, default=0, metavar="N", help="end after N runs")
    options = parser.parse_args(arguments)
    build = build_of()
    if not build.is_configured:
        run_ninja([BUILD_FILE], quiet=True)
    folder = build.project
    names = designs_of(read_graph(build))
    if options.design is None and len(names) != 1:
        raise UserError("which design?", hint=f"npuninja watch NAME; designs: {', '.join(names)}")
    (name,) = select(names, [options.design] if options.design else names)
    done = 0
    try:
        while True:
            started = time.monotonic()
            before = _stamps(folder, name)  # an edit while it builds is an edit
            code = run_ninja([f"run-{name}"], quiet=True)
            done += 1
            verdict = "good" if code == 0 else f"exit code {code}"
            print(
                f"── {name}: {verdict}, {time.monotonic() - started:.2f} s; waiting for an edit", flush=True
            )
            if options.count and done >= options.count:
                return code
            while _stamps(folder, name) == before:
                time.sleep(POLL_S)
    except KeyboardInterrupt:
        print()
        return 0


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
