"""A stage's command as an action: the same on every machine that has the project, wherever it has it.

Paths relative to the folder of build.ninja stay as they are: the action's tree has that folder, called
`build` (or `build/build` when it lies two folders below the sources), and beside it what the paths with `..`
lead to. Absolute paths of sources, which a build folder outside the project has, become paths into `source`
beside it. The places of tools become names (`@ziglang@/…`), which a worker replaces by its own. So neither
the folder of the project nor that of a tool is part of the action, and a cached result is found from
everywhere.
"""

from __future__ import annotations

import posixpath
import re

from npuninja.depfile import escape
from npuninja.errors import InternalError, UserError
from npuninja.records import NamedTuple
from npuninja.remote.settings import RemoteSettings, RemoteTool

BUILD, SOURCES = "build", "source"
PACKAGE = "npuninja"  # @npuninja@ is the folder that has the package
CACHE = "cache"  # @cache@ is where compilers may keep what they like


class Action(NamedTuple):
    """What is to be asked for.

    Attributes:
        command: words; the first is a name that every worker knows.
        inputs: path in the tree -> path here.
        folder: where in the tree it runs; "" for its root.
        outputs: paths relative to `folder`, as they are here relative to the folder of build.ninja.
        depfile: the one of them that is a depfile, or "".
        requirements: what the worker must have: `npuninja=…`, `tool=…`.
    """

    command: tuple[str, ...]
    inputs: dict[str, str]
    folder: str
    outputs: tuple[str, ...]
    depfile: str
    requirements: tuple[str, ...]


def make_action(settings: RemoteSettings, words: list[str], inputs: list[str], outputs: list[str]) -> Action:
    """The action for a stage's command line.

    Args:
        settings: of the build folder.
        words: the stage and its arguments.
        inputs: every file that the stage reads.
        outputs: every file that it makes, without its depfile.

    Raises:
        UserError: an input lies outside the project, so that it has no place in the tree.
        InternalError: a word of the command names a place that only this machine has.
    """
    folder = BUILD if settings.sources else "/".join([BUILD] * settings.depth)
    depfile = _value(words, "--depfile")
    named, tools = _with_names(settings, _without_identities(words))
    requirements = [f"npuninja={settings.package}", *(f"tool={tool.identity}" for tool in tools)]
    return Action(
        ("npuninja-stage", *(word for r in requirements for word in ("--require", r)), "--", *named),
        {_place(settings, folder, path): path for path in inputs},
        folder,
        (*outputs, *([depfile] if depfile else [])),
        depfile,
        tuple(requirements),
    )


def _value(words: list[str], option: str) -> str:
    return words[words.index(option) + 1] if option in words else ""


def _without_identities(words: list[str]) -> list[str]:
    """Without `--identity WORD` and `--modules WORD`, which name states of this machine: requirements stand
    for them.
    """
    kept = []
    rest = iter(words)
    for word in rest:
        if word in ("--identity", "--modules"):
            next(rest, None)
        else:
            kept.append(word)
    return kept


def _with_names(settings: RemoteSettings, words: list[str]) -> tuple[list[str], list[RemoteTool]]:
    """The words with names in place of this machine's folders, and the tools that were named."""
    named, used = [], []
    # The longest first: one tool may lie in the folder of another.
    tools = sorted(settings.tools, key=lambda tool: -len(tool.root))
    for i, word in enumerate(words):
        if i and words[i - 1] == "--cache":
            named.append(f"@{CACHE}@")
            continue
        for tool in tools:
            replaced = _at_start(tool.root, "(?=/|$)").sub(lambda m, name=tool.name: f"{m[1]}@{name}@", word)  # type: ignore[misc]
            if replaced != word:
                used.append(tool)
                word = replaced
        if settings.sources:
            word = _at_start(settings.sources).sub(lambda m: f"{m[1]}../{SOURCES}/", word)
        if _at_start("/").search(word):
            raise InternalError(f"the command names {word}, which no other machine has: {' '.join(words)}")
        named.append(word)
    return named, [tool for tool in settings.tools if tool in used]


def _at_start(path: str, behind: str = "") -> re.Pattern[str]:
    """Finds a path at the start of a word, or after a `=` in it."""
    return re.compile(f"(^|=){re.escape(path)}{behind}")


def _place(settings: RemoteSettings, folder: str, path: str) -> str:
    """Where in the tree a file is."""
    if settings.sources and path.startswith(settings.sources):
        return posixpath.join(SOURCES, posixpath.normpath(path[len(settings.sources) :]))
    place = posixpath.normpath(posixpath.join(folder, path))
    if place.startswith(("/", "../")):
        raise UserError(
            f"{path} lies outside the project, and another machine cannot have it",
            hint="copy it into the project, or configure without --remote",
        )
    return place


def as_here(settings: RemoteSettings, package: str, text: str) -> str:
    """What a stage printed, with the places of this machine.

    Args:
        settings: of the build folder.
        package: the folder that has npuninja.
        text: from a worker.
    """
    for name, place in _tool_folders(settings, package):
        text = text.replace(name, place)
    return text


def depfile_as_here(settings: RemoteSettings, package: str, text: str) -> str:
    """A worker's depfile with the places of this machine; for the arguments see `as_here`."""
    for name, place in _tool_folders(settings, package):
        text = text.replace(name, escape(place))
    return text


def _tool_folders(settings: RemoteSettings, package: str) -> list[tuple[str, str]]:
    places = [(f"@{tool.name}@", tool.root) for tool in settings.tools]
    places.append((f"@{PACKAGE}@", package))
    return places + ([(f"../{SOURCES}/", settings.sources)] if settings.sources else [])
