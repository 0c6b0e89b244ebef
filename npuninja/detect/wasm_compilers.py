"""Compilers for emulated cores: the `ziglang` wheel, or clang and wasm-ld on PATH."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from npuninja.detect.tool import Candidate, Proof, Surroundings, Tool, refusal, version_in
from npuninja.own_compiler import CLANG_SUFFIXES

OLDEST_CLANG = 14


def _read_clang(code: int, output: str) -> Proof:
    # Debian clang version 14.0.6
    # Target: wasm32-unknown-unknown
    # …
    # error: unable to create target: 'No available targets are compatible with triple
    # "wasm32-unknown-unknown"'
    match = re.search(r"clang version (\d+)(\S*)", output)
    if not match:
        return refusal(output, "it is not clang")
    version = match[1] + match[2]
    if int(match[1]) < OLDEST_CLANG:
        return Proof(reason=f"clang {version} is older than {OLDEST_CLANG}")
    if code:
        return Proof(reason=f"clang {version} was built without the wasm32 target")
    return Proof(version=version)


def _candidates(name: str, surroundings: Surroundings) -> Iterator[Candidate]:
    for suffix in CLANG_SUFFIXES:
        yield from surroundings.on_path(name + suffix)


ZIG = Tool(
    name="ziglang",
    purpose="compile kernels and core code for emulated cores",
    remedy="pip install ziglang",
    candidates=lambda s: s.in_packages("ziglang", "zig"),
    command=lambda path, s: [path, "version"],
    # 0.17.1
    read=version_in(r"\A(\d+\.\d+\.\d+\S*)\s*$", "it does not print Zig's version"),
    needs_nothing=True,
)

CLANG = Tool(
    name="clang",
    purpose="compile kernels for emulated cores where ziglang is missing",
    remedy="install clang 14 or newer with the WebAssembly target",
    candidates=lambda s: _candidates("clang", s),
    command=lambda path, s: [
        *(path, "-v", "-target", "wasm32-unknown-unknown", "-x", "c", "-c", os.devnull, "-o", os.devnull),
    ],
    read=_read_clang,
    needs_nothing=True,
)

WASM_LD = Tool(
    name="wasm-ld",
    purpose="link emulated cores where ziglang is missing",
    remedy="install lld 14 or newer",
    candidates=lambda s: _candidates("wasm-ld", s),
    command=lambda path, s: [path, "--version"],
    # Debian LLD 14.0.6
    read=version_in(r"\bLLD (\d+\S*)", "it is not LLVM's linker"),
    needs_nothing=True,
)
