"""`npuninja tools install NAME`: real tools into a folder of npuninja's own, where configure finds them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from npuninja.argument_parser import VerbParser
from npuninja.errors import ToolError, UserError
from npuninja.install import buildgrid
from npuninja.install.buildbox import PACKAGES as BUILDBOX_PACKAGES
from npuninja.install.buildbox import finish_buildbox
from npuninja.install.debian import SUITE, install_packages
from npuninja.install.folder import tools_folder, write_launcher
from npuninja.install.gxx import PACKAGES as GXX_PACKAGES
from npuninja.install.gxx import finish_gxx
from npuninja.install.installed_files import installing, write_record
from npuninja.install.postgresql import PACKAGES as POSTGRESQL_PACKAGES
from npuninja.install.postgresql import finish_postgresql
from npuninja.install.prune import keep_only
from npuninja.install.python_packages import find_python, install_python_packages
from npuninja.install.xrt import PACKAGES as XRT_PACKAGES
from npuninja.install.xrt import finish_xrt


@dataclass(frozen=True)
class Installation:
    """What can be installed.

    Attributes:
        purpose: for the help.
        use: what one does with it.
        packages: of Debian, or of the Python package index; what they need comes with them.
        finish: makes launchers in the unpacked folder and runs them; returns the version. Raises ToolError
            when they do not run.
        python: the oldest Python that can have them, for packages of the Python package index; None for
            Debian's.
    """

    purpose: str
    use: str
    packages: tuple[str, ...]
    finish: Callable[[str], str]
    python: tuple[int, int] | None = None


def _finish_xclbinutil(root: str) -> str:
    launcher = write_launcher(root, "usr/bin/xclbinutil")
    keep_only(root, "usr/bin/xclbinutil", launcher)
    done = subprocess.run([launcher, "--version"], capture_output=True, text=True, timeout=60, check=False)
    #        XRT Build Version: 2.25.00
    version = next(
        (line.split(":")[1].strip() for line in done.stdout.splitlines() if "XRT Build Version:" in line), ""
    )
    if done.returncode or not version:
        raise ToolError(f"the fetched xclbinutil does not run: {(done.stderr or done.stdout).strip()[:300]}")
    return version


INSTALLATIONS: dict[str, Installation] = {
    "xclbinutil": Installation(
        "packs XCLBINs (XRT)", "run configure.py again to use it", ("libxrt-utils",), _finish_xclbinutil
    ),
    "xrt": Installation(
        "XRT with Python, to run XRT programs", "npuninja emu -- python my_program.py", XRT_PACKAGES, finish_xrt
    ),
    "g++": Installation(
        "a C++ compiler for host programs that the system's is too old for",
        "run configure.py again to use it", GXX_PACKAGES, finish_gxx,
    ),
    "buildbox": Installation(
        "client and workers of remote execution", "configure.py --remote ADDRESS; npuninja farm up",
        BUILDBOX_PACKAGES, finish_buildbox,
    ),
    "buildgrid": Installation(
        "server of a farm of workers", "npuninja farm up --engine buildgrid",
        buildgrid.REQUIREMENTS, buildgrid.finish_buildgrid, buildgrid.OLDEST_PYTHON,
    ),
    "postgresql": Installation(
        "database for buildgrid", "npuninja farm up --engine buildgrid", POSTGRESQL_PACKAGES, finish_postgresql
    ),
}  # fmt: skip


def main(arguments: list[str]) -> int:
    """Runs the verb. Exit code 0 when the tool is there and has run."""
    known = "; ".join(f"{name}: {i.purpose}" for name, i in INSTALLATIONS.items())
    parser = VerbParser(
        prog="npuninja tools",
        description=f"Fetches tools from Debian {SUITE} (verified) or the Python package index "
        "into a folder of their own: without root, the system stays as it is. "
        "configure.py finds them there.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, parser_class=VerbParser)
    install = verbs.add_parser("install", description=known)
    install.add_argument("name", metavar="NAME", help=known)
    install.add_argument(
        "--mirror", metavar="URL", help="a Debian mirror (default: the one of the system's apt)"
    )
    options = parser.parse_args(arguments)
    if options.name not in INSTALLATIONS:
        raise UserError(f"{options.name!r} cannot be installed", hint="known: " + ", ".join(INSTALLATIONS))
    version, folder = install_tool(options.name, os.environ, options.mirror)
    print(f"{options.name} {version} in {folder}; {INSTALLATIONS[options.name].use}")
    return 0


def install_tool(
    name: str,
    environment: Mapping[str, str],
    mirror: str | None = None,
) -> tuple[str, str]:
    """Installs one tool; returns its version and its folder. Raises as `install_packages`."""
    installation = INSTALLATIONS[name]
    folder = os.path.join(tools_folder(environment), name)
    with installing(tools_folder(environment), _say):
        return _install(name, installation, folder, environment, mirror)


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _install(
    name: str,
    installation: Installation,
    folder: str,
    environment: Mapping[str, str],
    mirror: str | None,
) -> tuple[str, str]:
    versions: list[str] = []
    if installation.python:
        python = find_python(installation.python, environment)
        install_python_packages(
            installation.packages, folder, python=python, say=_say,
            finish=lambda root: versions.append(installation.finish(root)),
        )  # fmt: skip
        return versions[0], folder
    install_packages(
        installation.packages,
        folder,
        finish=lambda root: versions.append(installation.finish(root)),
        record=lambda root, packages: write_record(
            root, {"suite": SUITE, "packages": [asdict(package) for package in packages]}
        ),
        mirror=mirror,
        say=_say,
    )
    return versions[0], folder
