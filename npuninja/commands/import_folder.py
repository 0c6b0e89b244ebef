"""`npuninja import FOLDER -o PROJECT`: makes a project of a folder; says what became of each command."""

from __future__ import annotations

import os
import shlex

from npuninja.argument_parser import VerbParser
from npuninja.errors import UserError, printable
from npuninja.porting.import_folder import Imported, import_folder


def main(arguments: list[str]) -> int:
    """Imports. Exit code 0, also when commands were left out: the list says which."""
    parser = VerbParser(
        prog="npuninja import",
        description="Makes an npuninja project of a folder with a Makefile (or a CMakeLists.txt, "
        "tests for lit, shell scripts, a README with commands): make itself says what it "
        "would do; scripts are read and not run. Sources stay where they are. Run again, "
        "it keeps what you have edited.",
    )
    parser.add_argument(
        "folder", metavar="FOLDER", help="the existing folder, or a Makefile of another name in it"
    )
    parser.add_argument("-o", "--output", metavar="PROJECT", required=True, help="the folder of the project")
    parser.add_argument(
        "--target",
        metavar="T",
        action="append",
        default=[],
        help="a target of the Makefile (default: run and run_py)",
    )
    parser.add_argument(
        "--make",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a variable for make, as on its command line, or for the scripts (default: "
        "those that the folder's own lit test gives)",
    )
    parser.add_argument(
        "--script",
        metavar="FILE",
        action="append",
        default=[],
        help="a shell script or README in the folder to go by, with the script's own words: 'build.sh npu2' "
        "(default: those that are there, when nothing else says how the folder is built)",
    )
    options = parser.parse_args(arguments)
    variables = {}
    for word in options.make:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UserError(f"--make {word!r} sets nothing", hint="write NAME=VALUE")
        variables[name] = value
    imported = import_folder(
        options.folder, options.output, targets=options.target, variables=variables, environment=os.environ,
        scripts=options.script,
    )  # fmt: skip
    print(printable(report(imported, options.folder, options.output)))
    return 0


def report(imported: Imported, folder: str, output: str) -> str:
    """Line by line, what was taken over and what not."""
    project = imported.project
    asked = (
        f"make {' '.join(imported.targets)}".strip()
        if imported.targets
        else " and ".join(imported.tests) or "CMake"
    )
    given = f" {' '.join(imported.variables)}" if imported.variables else ""
    source = f" (as its {imported.variables_from} says)" if imported.variables_from else ""
    lines = [f"{asked}{given} in {folder}{source} would run:"]
    for line in project.lines:
        lines += [f"  {'+' if line.taken else '-'} {_short(line.command)}", f"      {line.became}"]
    left = sum(not line.taken for line in project.lines)
    counts = [
        f"{len(found)} {what if len(found) != 1 else what[:-1]}"
        for found, what in (
            (project.designs, "designs"),
            (project.kernels, "kernels"),
            (project.hosts, "host programs"),
        )
    ]
    lines.append(f"{', '.join(counts)}; {left or 'no'} command{'s' if left != 1 else ''} left out (-)")
    for written in imported.files:
        kept = f" (kept as you have them: {', '.join(written.kept)})" if written.kept else ""
        lines.append(f"wrote {os.path.join(output, written.name)}{kept}")
    lines += [f"note: {note}" for note in imported.notes]
    if imported.known_to_fail:
        lines.append(f"note: the folder's own test is said to fail ({imported.known_to_fail})")
    lines.append(
        f"next: cd {shlex.quote(output)} && python configure.py && "
        f"ninja{' run-hosts' if project.hosts else ''}"
    )
    return "\n".join(lines)


def _short(command: str) -> str:
    text = " ".join(command.split())
    return text if len(text) <= 150 else f"{text[:147]}..."
