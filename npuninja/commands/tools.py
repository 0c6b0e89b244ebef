"""`npuninja tools install NAME`: real tools into a folder of npuninja's own, where configure finds them."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Mapping

from npuninja.argument_parser import VerbParser
from npuninja.cli import programs_beside_the_package
from npuninja.errors import ToolError, UserError
from npuninja.install.buildbox import PACKAGES as BUILDBOX_PACKAGES
from npuninja.install.buildbox import finish_buildbox
from npuninja.install.debian import SUITE
from npuninja.install.folder import tools_folder, write_launcher
from npuninja.install.gxx import PACKAGES as GXX_PACKAGES
from npuninja.install.gxx import finish_gxx
from npuninja.install.installation import Circumstances, Installation
from npuninja.install.installed_files import installing
from npuninja.install.prune import keep_only
from npuninja.install.xrt import PACKAGES as XRT_PACKAGES
from npuninja.install.xrt import finish_xrt


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


INSTALLATIONS = {
    "xclbinutil": Installation(
        "packs XCLBINs (XRT)", "run configure.py again to use it", ("libxrt-utils",), _finish_xclbinutil
    ),
    "xrt": Installation(
        "XRT with Python, to run XRT programs",
        "npuninja emu -- python my_program.py",
        XRT_PACKAGES,
        finish_xrt,
    ),
    "g++": Installation(
        "a C++ compiler for host programs that the system's is too old for",
        "run configure.py again to use it",
        GXX_PACKAGES,
        finish_gxx,
    ),
    "buildbox": Installation(
        "client and workers of remote execution",
        "configure.py --remote ADDRESS; npuninja farm up",
        BUILDBOX_PACKAGES,
        finish_buildbox,
    ),
}


def installations() -> dict[str, Installation]:
    """What can be installed: for npuninja, and for programs of the source tree that have such a table too."""
    found = dict(INSTALLATIONS)
    for folder, package in programs_beside_the_package():
        if os.path.isfile(os.path.join(folder, package, "installations.py")):
            found.update(importlib.import_module(f"{package}.installations").INSTALLATIONS)
    return found


def main(arguments: list[str]) -> int:
    """Runs the verb. Exit code 0 when the tool is there and has run."""
    known_tools = installations()
    known = "; ".join(f"{name}: {i.purpose}" for name, i in known_tools.items())
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
    if options.name not in known_tools:
        raise UserError(f"{options.name!r} cannot be installed", hint="known: " + ", ".join(known_tools))
    version, folder = install_tool(options.name, os.environ, options.mirror)
    print(f"{options.name} {version} in {folder}; {known_tools[options.name].use}")
    return 0


def install_tool(
    name: str,
    environment: Mapping[str, str],
    mirror: str | None = None,
) -> tuple[str, str]:
    """Installs one of `installations`; returns its version and its folder. Raises as `install_packages`."""
    installation = installations()[name]
    folder = os.path.join(tools_folder(environment), name)
    versions: list[str] = []
    with installing(tools_folder(environment), _say):
        installation.fetch(
            installation.packages,
            folder,
            lambda root: versions.append(installation.finish(root)),
            Circumstances(environment, mirror, _say),
        )
    return versions[0], folder


def _say(line: str) -> None:
    print(line, file=sys.stderr)
