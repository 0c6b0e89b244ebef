"""Runs the proofs: each candidate once, several at a time, with a time limit, remembered by file stamp."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterable, Mapping, Sequence

from npuninja.detect.cache import ProbeCache
from npuninja.detect.tool import (
    AbsentTool,
    Candidate,
    Detection,
    FoundTool,
    Proof,
    Surroundings,
    Tool,
    file_stamp,
    identity,
)
from npuninja.detect.versions import day_of, package_version
from npuninja.errors import in_words
from npuninja.file_kinds import ELF_MAGIC
from npuninja.install.installed_files import problem_of_program
from npuninja.records import record

ANSWER_LIMIT_S = 30.0


@record(frozen=True)
class Denied:
    """Versions of a tool that are known to be bad.

    Those that begin with `versions`, and are of the days `since` to `until` (both included; "" is no limit).
    A version whose day is not known lies in no range of days.
    """

    tool: str
    versions: str
    effect: str
    see: str = ""
    since: str = ""
    until: str = ""

    def matches(self, version: str) -> bool:
        """Whether a version of the tool is one of these."""
        if not version.startswith(self.versions):
            return False
        day = day_of(version)
        in_range = (
            bool(day) and (not self.since or self.since <= day) and (not self.until or day <= self.until)
        )
        return in_range or not (self.since or self.until)


def probe(
    tools: Sequence[Tool], surroundings: Surroundings, cache: ProbeCache, denied: Sequence[Denied] = ()
) -> dict[str, Detection]:
    """Looks for every tool; the first candidate that proves itself and is not denied is the one.

    The tools are examined side by side, since a slow one must not hold up the others.
    """
    outcomes: dict[str, Detection] = {}
    failures: list[Exception] = []

    def examine(tool: Tool) -> None:
        try:
            outcomes[tool.name] = _examine(
                tool, surroundings, cache, [d for d in denied if d.tool == tool.name]
            )
        except Exception as error:  # a thread's exception would be printed and lost
            failures.append(error)

    threads = [threading.Thread(target=examine, args=(tool,)) for tool in tools]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return {tool.name: outcomes[tool.name] for tool in tools}


def _examine(
    tool: Tool, surroundings: Surroundings, cache: ProbeCache, denied: Iterable[Denied]
) -> Detection:
    if tool.name in surroundings.unused:
        return AbsentTool(
            tool.name, tool.purpose, "take it out of toolchain.toml, which says false", unused=True
        )
    pin = surroundings.pins.get(tool.name)
    candidates: Iterable[Candidate] = (
        [Candidate(tool.pinned(pin), "toolchain.toml")] if pin else tool.candidates(surroundings)
    )
    refused: list[tuple[Candidate, str]] = []
    for candidate in candidates:
        proof = _prove(tool, candidate.path, surroundings, cache)
        # Not remembered with the proof: the metadata may be put right while the program stays.
        version = (package_version(candidate.path, tool.package) or proof.version) if proof.version else ""
        missing = [file for file in tool.companions(candidate.path) if not os.path.isfile(file)]
        if proof.version and missing:
            version, proof = (
                "",
                Proof(reason=f"it has no {', '.join(map(os.path.basename, missing))} beside it"),
            )
        bad = next((d for d in denied if d.matches(version)), None) if version else None
        if bad:
            proof = Proof(
                reason=f"version {version} is denied: {bad.effect}" + (f" ({bad.see})" if bad.see else "")
            )
        if proof.version:
            word = identity(tool.name, candidate.path, version, tool.companions(candidate.path))
            beside = tuple(tool.beside(candidate.path).items())
            return FoundTool(
                tool=tool.name,
                path=candidate.path,
                origin=candidate.origin,
                version=version,
                identity=word,
                facts=proof.facts,
                beside=beside,
            )
        refused.append((candidate, proof.reason))
    return AbsentTool(tool.name, tool.purpose, tool.remedy, tuple(refused))


def _prove(tool: Tool, path: str, surroundings: Surroundings, cache: ProbeCache) -> Proof:
    stamp = file_stamp(path)
    if stamp is None:
        return Proof(reason=tool.lacks)
    if not os.path.isfile(path):
        return Proof(reason="it is not a file")
    reason = tool.refuse(path, surroundings) or problem_of_program(path, surroundings.environment)
    if reason:
        return Proof(reason=reason)
    commands = [tool.command(path, surroundings), *tool.further(path, surroundings)]
    alone_in = _loader_of(path, surroundings.environment) if tool.needs_nothing else None
    remembered = cache.get(tool.name, stamp, commands, alone_in)
    if remembered is not None:
        return remembered
    # PYTHON* variables are left out: a wrong PYTHONPATH has broken tools that are Python scripts.
    environment = {k: v for k, v in surroundings.environment.items() if not k.startswith("PYTHON")}
    environment.update(tool.variables(path))
    answers = []
    for command in commands:
        answer = _run(command, environment)
        if isinstance(answer, Proof):
            return answer
        answers.append(answer)
    proof = tool.read(answers[0][0], "\n".join(output for _, output in answers))
    # A program that did not end well may lack a library, which can be put right while it stays.
    ended_well = bool(proof.version) or not answers[0][0]
    cache.put(tool.name, stamp, commands, proof, alone_in if ended_well else None)
    return proof


def _loader_of(path: str, environment: Mapping[str, str]) -> str | None:
    """What in the environment decides how a program is loaded; None for scripts: they load what they want."""
    try:
        with open(path, "rb") as stream:
            if stream.read(len(ELF_MAGIC)) != ELF_MAGIC:
                return None
    except OSError:
        return None
    return "\n".join(f"{name}={environment[name]}" for name in sorted(environment) if name.startswith("LD_"))


def _run(command: list[str], environment: dict[str, str]) -> tuple[int, str] | Proof:
    """Exit code and output of a command, or why it could not be run, which is never remembered."""
    try:
        done = subprocess.run(
            command,
            env={**environment, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=ANSWER_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Proof(reason=f"it did not answer within {ANSWER_LIMIT_S:g} s")
    except OSError as error:
        return Proof(reason=f"it does not start: {in_words(error)}")
    return done.returncode, done.stdout.decode("utf-8", "replace")
