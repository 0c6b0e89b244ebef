"""A tool as an object: where it may be, how it proves itself, and what was found.

A tool counts as found only when it ran and printed what it must print; a file of the right name proves
nothing (wrappers without the program behind them, a system LLVM without the AIE targets, a Python shim whose
module is gone).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from npuninja.records import record


@record(frozen=True)
class Surroundings:
    """What detection may look at. Tests put a made-up machine here.

    Attributes:
        environment: the environment variables.
        pins: tool name -> path, from toolchain.toml; a pinned tool is looked for there and nowhere else.
        package_folders: folders that hold installed Python packages: of this Python, then of `$VIRTUAL_ENV`.
        python: the Python that runs the build.
        unused: names of tools that are not to be looked for.
        system_root: where `/opt` and `/dev` begin.
    """

    environment: Mapping[str, str]
    pins: Mapping[str, str]
    package_folders: tuple[str, ...]
    python: str
    system_root: str = "/"
    unused: tuple[str, ...] = ()

    def on_path(self, program: str) -> Iterator[Candidate]:
        """Every file called `program` in the folders of PATH, in order, each once."""
        seen = set()
        for folder in self.environment.get("PATH", "").split(os.pathsep):
            path = os.path.join(folder, program)
            if folder and os.path.isfile(path) and os.path.realpath(path) not in seen:
                seen.add(os.path.realpath(path))
                yield Candidate(path, "PATH")

    def below(self, variable: str, *components: str) -> Iterator[Candidate]:
        """The file at `components` below the folder that an environment variable names."""
        folder = self.environment.get(variable)
        if folder:
            yield Candidate(os.path.join(folder, *components), f"${variable}")

    def in_system(self, *components: str) -> Iterator[Candidate]:
        """The file at `components` below the system's root, where it exists."""
        path = os.path.join(self.system_root, *components)
        if os.path.isfile(path):
            yield Candidate(path, "usual place")

    def in_home(self, *components: str) -> Iterator[Candidate]:
        """The file at `components` below the home folder, where it exists."""
        path = os.path.join(self.environment.get("HOME", ""), *components)
        if self.environment.get("HOME") and os.path.isfile(path):
            yield Candidate(path, "usual place")

    def in_packages(self, *components: str) -> Iterator[Candidate]:
        """The file at `components` below each folder of installed Python packages, where it exists."""
        for folder in self.package_folders:
            path = os.path.join(folder, *components)
            if os.path.isfile(path):
                yield Candidate(path, "Python package")


@record(frozen=True)
class Candidate:
    """A file that may be the tool, and its origin: "PATH", "$PEANO_INSTALL_DIR", "toolchain.toml"."""

    path: str
    origin: str


@record(frozen=True)
class Proof:
    """What the tool itself said: its version, or why it will not do. Exactly one of the two is set.

    `facts` are what else it said that planning asks for: its targets, passes or generation.
    """

    version: str = ""
    reason: str = ""
    facts: tuple[str, ...] = ()


@record(frozen=True)
class Tool:
    """A kind of tool.

    Attributes:
        name: how the user calls it, also the key in toolchain.toml.
        purpose: what it does for a build, as the end of "needed to …".
        remedy: one sentence: how to get it.
        candidates: the files that may be it, best first; without the pinned one.
        pinned: the file that a pin means: a pin may name the install folder.
        command: the command line that proves a candidate.
        further: command lines whose outputs are wanted too, after `command`'s, whatever their exit codes.
        variables: environment variables that the candidate needs.
        read: exit code of `command`, all outputs -> proof. A docstring or comment has a sample of output.
        refuse: a reason to refuse a candidate without running it, or "".
        companions: further files that the candidate needs, with paths; part of its identity.
        package: the folder of its Python wheel, whose version counts more than the tool's own; or "".
        lacks: what it means that a candidate's file is not there.
        beside: what planning asks for that lies beside a candidate: name -> path, "" for what is not there.
        needs_nothing: whether only the program and its libraries decide what it says: no headers, no modules,
            no configuration.
    """

    name: str
    purpose: str
    remedy: str
    candidates: Callable[[Surroundings], Iterator[Candidate]]
    command: Callable[[str, Surroundings], list[str]]
    read: Callable[[int, str], Proof]
    pinned: Callable[[str], str] = lambda path: path
    refuse: Callable[[str, Surroundings], str] = lambda path, surroundings: ""
    further: Callable[[str, Surroundings], list[list[str]]] = lambda path, surroundings: []
    variables: Callable[[str], dict[str, str]] = lambda path: {}
    companions: Callable[[str], tuple[str, ...]] = lambda path: ()
    package: str = ""
    lacks: str = "there is no such file"
    beside: Callable[[str], dict[str, str]] = lambda path: {}
    needs_nothing: bool = False


@record(frozen=True)
class FoundTool:
    """A proved tool.

    `identity` is one word that changes whenever the tool may behave differently: name, version, and a hash of
    path, size and time of the file and its companions. It goes into every command line that uses the tool.
    `version` is that of the wheel where there is one. `beside`: see `Tool`; planning looks at no disk.
    """

    tool: str
    path: str
    origin: str
    version: str
    identity: str
    facts: tuple[str, ...] = ()
    beside: tuple[tuple[str, str], ...] = ()

    def lying(self, name: str) -> str:
        """The path of what lies beside it; "" when it is not there."""
        return dict(self.beside).get(name, "")


@record(frozen=True)
class AbsentTool:
    """A tool that is missing, or that is there and cannot be used.

    `examined` has every candidate with the reason why it was refused; it is empty when there was none.
    `unused`: the project says that the tool is not to be used.
    """

    tool: str
    purpose: str
    remedy: str
    examined: tuple[tuple[Candidate, str], ...] = ()
    unused: bool = False

    def explain(self) -> str:
        """One line: what was examined and what each candidate lacks."""
        if self.unused:
            return "not to be used (toolchain.toml)"
        if not self.examined:
            return "not found"
        return "; ".join(
            f"{candidate.path} ({candidate.origin}): {reason}" for candidate, reason in self.examined
        )


Detection = FoundTool | AbsentTool


def refusal(output: str, otherwise: str) -> Proof:
    """A failed proof: `otherwise`, with the line that tells most (the last of a Python traceback)."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if not lines:
        return Proof(reason=f"{otherwise} (it printed nothing)")
    telling = lines[-1] if any(line.startswith("Traceback") for line in lines) else lines[0]
    return Proof(reason=f"{otherwise} (it printed: {telling[:120]})")


def version_in(pattern: str, otherwise: str) -> Callable[[int, str], Proof]:
    """How a tool proves itself that succeeds and prints its version, the group of `pattern`.

    `otherwise` says what a candidate is that does not.
    """

    def read(code: int, output: str) -> Proof:
        match = re.search(pattern, output)
        return Proof(version=match[1]) if code == 0 and match else refusal(output, otherwise)

    return read


def in_folder(*components: str) -> Callable[[str], str]:
    """What a pin means that may name the tool's installation: the file at `components` there."""
    return lambda path: os.path.join(path, *components) if os.path.isdir(path) else path


def file_stamp(path: str) -> tuple[str, int, int] | None:
    """The state of a file, without reading it: real path, size, time in ns; None when it is missing."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return os.path.realpath(path), status.st_size, status.st_mtime_ns


def identity(tool: str, path: str, version: str, companions: Sequence[str] = ()) -> str:
    """The identity word of a proved tool, for example `bootgen-2022.2-5f1c0a9b`."""
    stamps = [file_stamp(file) for file in companions]
    digest = hashlib.sha256(repr((file_stamp(path), version, *stamps)).encode()).hexdigest()
    plain = "".join(c if c.isalnum() or c in "._+" else "_" for c in version)
    return f"{tool}-{plain}-{digest[:8]}"
