"""Ninja itself: the one beside this Python, else the first on PATH."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from npuninja.detect.tool import Candidate, Proof, Surroundings, Tool, refusal

OLDEST = (1, 11)  # several outputs together with a depfile; the dependency of this package asks for the same


def _candidates(surroundings: Surroundings) -> Iterator[Candidate]:
    beside = os.path.join(os.path.dirname(surroundings.python), "ninja")
    if os.path.isfile(beside):
        yield Candidate(beside, "beside Python")
    yield from surroundings.on_path("ninja")


def _read(code: int, output: str) -> Proof:
    # 1.11.1
    # 1.13.2.git.kitware.jobserver-pipe-1
    match = re.match(r"(\d+)\.(\d+)(?:\.\d+)?", output)
    if code or not match:
        return refusal(output, "it does not print Ninja's version")
    if (int(match[1]), int(match[2])) < OLDEST:
        return Proof(reason=f"Ninja {match[0]} is older than {OLDEST[0]}.{OLDEST[1]}")
    return Proof(version=match[0])


NINJA = Tool(
    name="ninja",
    purpose="run the build",
    remedy="pip install ninja",
    candidates=_candidates,
    command=lambda path, s: [path, "--version"],
    read=_read,
    needs_nothing=True,
)
