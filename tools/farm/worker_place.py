"""A worker's needs on its machine: a copy of npuninja's stages, the tools' places, `npuninja-stage`.

The copy makes sure that a running worker is what it says it is, whatever is edited meanwhile.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from dataclasses import dataclass

from npuninja.detect.machine import Toolchain
from npuninja.remote.identities import file_stamps, package_files, package_identity, tool_identities

_PROGRAM = """\
#!/bin/sh
exec {python} -S -E {worker} {settings} "$@"
"""


@dataclass(frozen=True)
class WorkerPlace:
    """A folder for the workers of one machine.

    Attributes:
        programs: the folder to put in front of PATH.
        has: what they have: `npuninja=…`, `tool=…`.
        package: the identity in `npuninja=…`.
    """

    programs: str
    has: tuple[str, ...]
    package: str


def write_worker_place(folder: str, package: str, toolchain: Toolchain) -> WorkerPlace:
    """Makes the folder; what is there is replaced.

    Args:
        folder: where.
        package: the folder of npuninja.
        toolchain: the tools of this machine.
    """
    shutil.rmtree(folder, ignore_errors=True)
    copy, programs, cache = (os.path.join(folder, name) for name in ("npuninja", "bin", "cache"))
    for path in package_files(package):
        target = os.path.join(copy, os.path.relpath(path, package))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(path, target)
    os.makedirs(programs)
    os.makedirs(cache)
    identity = package_identity(copy)
    tools = tool_identities(toolchain)
    has = (f"npuninja={identity}", *(f"tool={tool.identity}" for tool in tools))
    settings = os.path.join(folder, "worker.json")
    with open(settings, "w", encoding="utf-8") as stream:
        json.dump(
            {
                "has": has,
                "places": {**{tool.name: tool.root for tool in tools}, "cache": cache},
                "stamps": {f"tool={name}": files for name, files in file_stamps(toolchain).items()},
            },
            stream,
            indent=1,
        )
    program = os.path.join(programs, "npuninja-stage")
    words = {
        "python": sys.executable,
        "worker": os.path.join(copy, "remote", "worker.py"),
        "settings": settings,
    }
    with open(program, "w", encoding="utf-8") as stream:
        stream.write(_PROGRAM.format(**{name: shlex.quote(word) for name, word in words.items()}))
    os.chmod(program, 0o755)
    return WorkerPlace(programs, has, identity)
