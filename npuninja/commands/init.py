"""`npuninja init`: a new project."""

from __future__ import annotations

import os
import shlex

from npuninja.arch.families import DEFAULT
from npuninja.argument_parser import VerbParser
from npuninja.new_project.write import DEVICES, TEMPLATES, write_project, write_workflow


def main(arguments: list[str]) -> int:
    """Runs the verb; returns the exit code."""
    listed = "; ".join(f"{name}: {what}" for name, (_, what) in TEMPLATES.items())
    parser = VerbParser(
        prog="npuninja init",
        description="Makes a project: a design with its kernel and its reference, settings, tests, "
        "files for editors.",
        epilog=f"Templates: {listed}.",
    )
    parser.add_argument("name", nargs="?", help="a folder for it (default: the current one)")
    parser.add_argument(
        "--template",
        choices=sorted(TEMPLATES),
        default="passthrough",
        help="what to start from (default: passthrough)",
    )
    parser.add_argument("--device", choices=DEVICES, default=DEFAULT, help=f"which NPU (default: {DEFAULT})")
    parser.add_argument(
        "--ci",
        action="store_true",
        help="only the workflow for GitHub Actions, into a project that is there: it builds, tests, runs "
        "the host programs on the emulated NPU, and keeps report and verdicts",
    )
    options = parser.parse_args(arguments)
    folder = options.name or os.curdir
    if options.ci:
        print(f"{write_workflow(folder)} written; its steps are commands that run here, too")
        return 0
    made = write_project(folder, options.template, options.device)
    print(
        f"{len(made.files)} files in {os.path.abspath(folder)}, "
        f"with the design {made.design} for {options.device}"
    )
    go = f"cd {shlex.quote(folder)} && " if folder not in (os.curdir, os.curdir + os.sep) else ""
    print(f"next: {go}python configure.py && ninja && ninja run")
    return 0
