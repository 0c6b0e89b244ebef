"""`remote.json` of the build folder: what `configure.py --remote` found, for commands on other machines."""

from __future__ import annotations

import json

from npuninja import TYPE_CHECKING
from npuninja.errors import Location, UserError
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Any

SETTINGS_FORMAT = 1
# The exit code of `npuninja-stage` for an action that its worker must not run; no stage has it.
WRONG_WORKER = 96


class RemoteTool(NamedTuple):
    """A tool that a worker has at a place of its own."""

    name: str
    """Stands for its place in an action, as `@name@`."""
    root: str
    """Here: the program, or the folder of an installation."""
    identity: str
    """Equal on two machines only if the tool is: version, and hash of the program."""


class RemoteSettings(NamedTuple):
    """How commands of one build folder become actions."""

    address: str
    """Of the service, as `unix:/PATH` or `http://HOST:PORT`."""
    trexe: str
    """The client, an absolute path."""
    package: str
    """Identity of npuninja's stages and the Python that runs them."""
    tools: tuple[RemoteTool, ...]
    sources: str
    """What absolute names of source files begin with, with a final slash; "" when they are relative."""
    depth: int
    """How far below the sources the folder of build.ninja is; 0 when it is their own or `sources` is set."""

    def as_json(self) -> str:
        """The content of the file."""
        fields = self._asdict()
        fields["tools"] = [tool._asdict() for tool in self.tools]
        return json.dumps({"format": SETTINGS_FORMAT, **fields}, indent=1) + "\n"


def read_remote_settings(path: str) -> RemoteSettings:
    """Reads the file.

    Raises:
        UserError: it is missing or of another version.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            content: Any = json.load(stream)
        if content.pop("format") != SETTINGS_FORMAT:
            raise ValueError
        content["tools"] = tuple(RemoteTool(**tool) for tool in content["tools"])
        return RemoteSettings(**content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(
            "no settings for building on other machines",
            Location(path),
            hint="run configure.py --remote again",
        ) from error
