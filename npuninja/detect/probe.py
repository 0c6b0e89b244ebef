"""Runs the proofs: each candidate once, several at a time, each with a time limit, remembered by file stamp."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from npuninja.detect.cache import ProbeCache
from npuninja.detect.tool import Absent, Candidate, Found, Outcome, Proof, Surroundings, Tool, file_stamp, identity

TIME_LIMIT_S = 10.0


@dataclass(frozen=True)
class Denied:
    """Versions of a tool that are known to be bad: those that begin with `versions`."""

    tool: str
    versions: str
    effect: str
    see: str = ""


def probe(
    tools: Sequence[Tool], surroundings: Surroundings, cache: ProbeCache, denied: Sequence[Denied] = ()
) -> dict[str, Outcome]:
    """Looks for every tool; the first candidate that proves itself and is not denied is the one.

    The tools are examined side by side, since a slow one must not hold up the others.
    """
    outcomes: dict[str, Outcome] = {}
    failures: list[Exception] = []

    def examine(tool: Tool) -> None:
        try:
            outcomes[tool.name] = _examine(tool, surroundings, cache, [d for d in denied if d.tool == tool.name])
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


def _examine(tool: Tool, surroundings: Surroundings, cache: ProbeCache, denied: Iterable[Denied]) -> Outcome:
    pin = surroundings.pins.get(tool.name)
    candidates: Iterable[Candidate] = (
        [Candidate(tool.pinned(pin), "toolchain.toml")] if pin else tool.candidates(surroundings)
    )
    refused: list[tuple[Candidate, str]] = []
    for candidate in candidates:
        proof = _prove(tool, candidate.path, surroundings, cache)
        bad = next((d for d in denied if proof.version.startswith(d.versions)), None) if proof.version else None
        if bad:
            proof = Proof(reason=f"version {proof.version} is denied: {bad.effect}" + (f" ({bad.see})" if bad.see else ""))
        if proof.version:
            word = identity(tool.name, candidate.path, proof.version)
            return Found(tool.name, candidate.path, candidate.origin, proof.version, word)
        refused.append((candidate, proof.reason))
    return Absent(tool.name, tool.purpose, tool.remedy, tuple(refused))


def _prove(tool: Tool, path: str, surroundings: Surroundings, cache: ProbeCache) -> Proof:
    stamp = file_stamp(path)
    if stamp is None:
        return Proof(reason="there is no such file")
    if not os.path.isfile(path):
        return Proof(reason="it is not a file")
    reason = tool.refuse(path, surroundings)
    if reason:
        return Proof(reason=reason)
    command = tool.command(path, surroundings)
    remembered = cache.get(tool.name, stamp, command)
    if remembered is not None:
        return remembered
    proof = _run(tool, command, surroundings)
    if proof.certain:
        cache.put(tool.name, stamp, command, proof)
    return proof


def _run(tool: Tool, command: list[str], surroundings: Surroundings) -> Proof:
    """Runs the proof. PYTHON* variables are left out: a wrong PYTHONPATH has broken tools that are Python scripts."""
    environment = {k: v for k, v in surroundings.environment.items() if not k.startswith("PYTHON")}
    try:
        done = subprocess.run(
            command,
            env={**environment, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIME_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Proof(reason=f"it did not answer within {TIME_LIMIT_S:g} s", certain=False)
    except OSError as error:
        return Proof(reason=f"it does not start: {(error.strerror or str(error)).lower()}", certain=False)
    return tool.read(done.returncode, done.stdout.decode("utf-8", "replace"))
