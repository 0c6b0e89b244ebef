"""`--remote ADDRESS`: which commands go to other machines, and what their launcher has to know."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from npuninja.configure.options import Options
from npuninja.detect.machine import Toolchain
from npuninja.errors import UserError
from npuninja.install.buildbox import buildbox_program
from npuninja.plan.layout import Layout
from npuninja.remote.identities import package_identity, tool_identities
from npuninja.remote.settings import RemoteSettings

# In the build folder.
REMOTE_SETTINGS = "remote.json"


def remote_settings(
    options: Options, environment: Mapping[str, str], layout: Layout, toolchain: Toolchain, package: str
) -> RemoteSettings | None:
    """What the launcher of remote commands has to know; None without `--remote`.

    Raises:
        UserError: it is not an address, or an option does not go with it.
        ToolError: there is no trexe.
    """
    address = options.remote
    if address is None:
        return None
    if not re.fullmatch(r"http://[^/\s]+:\d+|unix:/\S[^\n]*", address):
        raise UserError(
            f"--remote: {address!r} is no address of a service", hint="as unix:/PATH or http://HOST:PORT"
        )
    if options.launcher:
        raise UserError(
            "--launcher and --remote exclude each other", hint="the service has a cache; leave --launcher out"
        )
    inside = not layout.source_prefix.startswith(os.sep)
    way = os.path.relpath(layout.ninja_folder, layout.source_root)
    return RemoteSettings(
        address=address,
        trexe=buildbox_program(environment, "trexe"),
        package=package_identity(package),
        tools=tool_identities(toolchain),
        sources="" if inside else layout.source_prefix,
        depth=len(way.split(os.sep)) if inside and way != os.curdir else 0,
    )
