"""Verbs for the project in the current folder: configure, build, test, clean, list. `build_of` finds it and
its build folder, as Git finds a repository.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from npuninja.argument_parser import VerbParser
from npuninja.build_places import BUILD_FILE, RECORD
from npuninja.configure.built import (
    Build,
    build_of,
    ninja_program,
    project_folder,
)


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
            "usage: npuninja build [-v] [-q] [TARGET or option of Ninja …]\n\n"
            "Builds the project: all, or targets."
        )
        return 0
    quiet = "-q" in arguments
    return run_ninja([word for word in arguments if word != "-q"], quiet=quiet)


def test(arguments: list[str]) -> int:
    """Runs `npuninja test [DESIGN…]`; returns its exit code."""
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


VERBS = {
    "configure": configure,
    "build": build,
    "test": test,
    "clean": clean,
    "list": list_project,
}
