"""`npuninja watch DESIGN`: after every edit of what the design is made of, builds, runs and verifies it.

What a run needs takes longer to load than to do. So this process has it loaded, and each run is a copy of it
(fork), which begins with nothing of the runs before.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from npuninja.argument_parser import VerbParser
from npuninja.build_places import BUILD_FILE, DESIGNS
from npuninja.cli import guarded
from npuninja.commands.project import run_ninja
from npuninja.configure.built import Build, build_of, designs_of, read_graph
from npuninja.errors import UserError
from npuninja.plan.designs import select

POLL_S = 0.02


def main(arguments: list[str]) -> int:
    """Runs the verb; returns the exit code of the last run."""
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
            before = stamps(folder)  # an edit while it builds is an edit
            code = _build_and_run(build, name)
            done += 1
            verdict = "good" if code == 0 else f"exit code {code}"
            print(
                f"── {name}: {verdict}, {time.monotonic() - started:.2f} s; waiting for an edit", flush=True
            )
            if options.count and done >= options.count:
                return code
            while stamps(folder) == before:
                time.sleep(POLL_S)
    except KeyboardInterrupt:
        print()
        return 0


def _build_and_run(build: Build, name: str) -> int:
    """One round; its exit code."""
    target = f"run-{name}"
    run = _run_of(build, name) if hasattr(os, "fork") else None
    if run is None:
        return run_ninja([target], quiet=True)
    code = run_ninja([*run["inputs"], *run["implicit"]], quiet=True)
    if code:
        return code
    now = _run_of(build, name)  # Ninja may have configured again
    if now is None or {*now["inputs"], *now["implicit"]} - {*run["inputs"], *run["implicit"]}:
        return run_ninja([target], quiet=True)
    return _run(build.ninja_folder, [*now["options"], *now["inputs"]])


def _run_of(build: Build, name: str) -> Mapping[str, Any] | None:
    """The statement of `run-NAME` in graph.json; None where that is not a run as npuninja does it."""
    try:
        edges = read_graph(build)["edges"]
    except UserError:
        return None
    found = next((edge for edge in edges if edge["outputs"] == [f"run-{name}"]), None)
    return found if found is not None and found["rule"] == "run" and found["inputs"] else None


def _run(folder: str, words: Sequence[str]) -> int:
    """`npuninja run` in a copy of this process, in which modules are loaded already."""
    from npuninja.device.runner import main as run

    _load()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 70
    try:
        os.chdir(folder)
        code = guarded(lambda: run(list(words)))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _load() -> None:
    """Loads what a run loads late; where it is missing, the run says so."""
    for module in ("npuninja.device.emulated", "wasmtime", "numpy"):
        try:
            __import__(module)
        except ImportError:
            continue


def stamps(folder: str) -> dict[str, int]:
    """The times of the sources that designs are made of; headers and new files included."""
    found: dict[str, int] = {}
    for part in (DESIGNS, "kernels", "host", "include"):
        for where, folders, files in os.walk(os.path.join(folder, part)):
            folders[:] = [f for f in folders if not f.startswith((".", "__"))]
            for file in files:
                path = os.path.join(where, file)
                try:
                    found[path] = os.stat(path).st_mtime_ns
                except OSError:
                    continue
    for path in ("toolchain.toml", "build.ninja.in"):
        if os.path.isfile(os.path.join(folder, path)):
            found[path] = os.stat(os.path.join(folder, path)).st_mtime_ns
    return found
