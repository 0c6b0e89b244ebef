"""Compilers for host programs: g++ or clang++, which share the C++ library that XRT is built with."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from npuninja.detect.tool import Candidate, Proof, Surroundings, Tool, refusal
from npuninja.install.folder import installed_program

# GCC 13 is the first whose library has what host programs of C++23 use (<stdfloat>, views::zip); headers of
# newer ones include less, which programs that forget an #include notice.
_NAMES = ("g++-13", "g++-14", "g++-15", "g++", "clang++", "g++-12", "g++-11")


def _candidates(surroundings: Surroundings) -> Iterator[Candidate]:
    own = installed_program(surroundings.environment, "g++", "g++")
    if os.path.isfile(own):
        yield Candidate(own, "npuninja tools")
    for name in _NAMES:
        yield from surroundings.on_path(name)


def _read(code: int, output: str) -> Proof:
    # gcc version 13.5.0 (Debian 13.5.0-3)
    # Debian clang version 19.1.7
    match = re.search(r"\b(gcc|clang) version (\d+(?:\.\d+)*)", output)
    if code or not match:
        return refusal(output, "it does not compile C++20")
    return Proof(version=match[2], facts=(match[1],))


HOST_COMPILER = Tool(
    name="cxx",
    purpose="compile host programs in C and C++",
    remedy="npuninja tools install g++, or install g++ 11 or newer, or clang++",
    candidates=_candidates,
    # The library's headers count too: a compiler alone may be there without them.
    command=lambda path, s: [
        *(path, "-v", "-std=c++20", "-fsyntax-only", "-x", "c++", "-include", "string", os.devnull),
    ],
    read=_read,
)
