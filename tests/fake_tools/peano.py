"""The pretended programs of Peano: llc, opt, clang (also as clang++), ld.lld."""

from __future__ import annotations

import hashlib
import os
import re

from fake_tools.mlir_tools import Refused, write
from fake_tools.releases import RELEASES
from npuninja.arch.families import of_architecture
from npuninja.formats.elf import MACHINE, architecture_of, read_elf, write_core_elf

BANNER = (
    "LLVM (http://llvm.org/):\n"
    "  LLVM version {version}\n"
    "  Optimized build.\n\n"
    "  Registered Targets:\n"
    "{targets}"
)
TARGETS = {
    "aie2": "    aie2       - Xilinx AI Engine V2\n",
    "aie2p": "    aie2p      - Xilinx AI Engine V2P\n",
}
TRIPLE = "-none-unknown-elf"
# What an older LLVM does not read.
TOO_NEW = ("getelementptr inbounds nuw", ", align ", "nocreateundeforpoison")
COMPILE_WORDS = (
    "-O2",
    "-std=gnu17",
    "-std=c++20",
    "-Wall",
    "-Werror",
    "-w",
    "-DNDEBUG",
    "-fdiagnostics-color=always",
)


def llc(arguments: list[str], version: str) -> None:
    """`--version`, or one module to an object."""
    if arguments == ["--version"]:
        print(BANNER.format(version=version, targets="".join(TARGETS.values())))
        return
    source, *words = arguments
    target = re.fullmatch(
        r"-O2 --march=(aie2p?) --function-sections --filetype=obj -o (\S+)", " ".join(words)
    )
    if not target:
        raise Refused(f"llc: Unknown command line argument in {words}")
    write(target[2], _object(_ir(source), target[1]))


def opt(arguments: list[str]) -> None:
    """One module to a better one; by the words of any release."""
    *words, source, dash_o, target = arguments
    if dash_o != "-o" or tuple(words) not in {release.opt for release in RELEASES.values()}:
        raise Refused(f"opt: Unknown command line argument in {arguments}")
    write(target, "; optimised\n" + _ir(source))


def _ir(path: str) -> str:
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    for word in TOO_NEW:
        if word in text:
            line = text.count("\n", 0, text.index(word)) + 1
            raise Refused(f"{path}:{line}:10: error: expected type\n{word}")
    return text


def clang(program: str, arguments: list[str]) -> None:
    """Compiles one file, or links one core."""
    if "-c" in arguments:
        _compile(program, arguments)
    else:
        _link(arguments)


def _compile(program: str, arguments: list[str]) -> None:
    rest = list(arguments)
    values = {}
    for option in ("-MF", "-c", "-o", "-I"):
        if option in rest:
            at = rest.index(option)
            values[option] = rest[at + 1]
            del rest[at : at + 2]
    cxx = values["-c"].endswith((".cc", ".cpp"))
    target = rest[0].removeprefix("--target=").removesuffix(TRIPLE)
    if rest[0] != f"--target={target}{TRIPLE}" or target not in TARGETS or cxx != program.endswith("++"):
        raise Refused(f"clang: error: unknown target triple in {arguments}")
    if ("-std=c++20" if cxx else "-std=gnu17") not in rest or "-MMD" not in rest:
        raise Refused(f"clang: error: not how a kernel is compiled: {arguments}")
    for word in rest[1:]:
        if word not in (*COMPILE_WORDS, "-MMD") and not word.startswith(("-ffile-prefix-map=", "-Wno-")):
            raise Refused(f"clang: error: unknown argument: '{word}'")
    text, headers = _with_headers(values["-c"])
    if "{" not in text:
        raise Refused(f"{values['-c']}:1:1: error: expected a function")
    write(values["-MF"], f"{values['-o']}: {' '.join([values['-c'], *headers])}\n")
    write(values["-o"], _object(text, target))


def _with_headers(path: str) -> tuple[str, list[str]]:
    """The text of a file and of those it includes by `#include "…"`, and these files."""
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    headers = []
    for name in re.findall(r'#include "([^"]+)"', text):
        header = os.path.join(os.path.dirname(path), name)
        more, others = _with_headers(header)
        text += more
        headers += [header, *others]
    return text, headers


def _object(text: str, target: str) -> bytes:
    """A relocatable object with the hash of what it was made from in it."""
    flags = of_architecture(target).elf_flag
    return write_core_elf([(0, hashlib.sha256(text.encode()).digest(), 32)], flags, elf_type=1)


def _link(arguments: list[str]) -> None:
    lld = next((word for word in arguments if word.startswith("-fuse-ld=")), "")
    words = [word for word in arguments if word != lld]
    script = words[5].removeprefix("-Wl,-T,") if len(words) == 8 else ""
    flags = ["-Wl,--gc-sections", "-Wl,--orphan-handling=error", f"-Wl,-T,{script}"]
    wanted = ["-O2", words[1], words[2], *flags, "-o", words[-1]]
    target = words[1].removeprefix("--target=").removesuffix(TRIPLE)
    if words != wanted or target not in TARGETS or not os.path.isabs(script):
        raise Refused(f"clang: error: not how a core is linked: {arguments}")
    if lld and not os.access(lld.removeprefix("-fuse-ld="), os.X_OK):
        raise Refused(f"clang: error: invalid linker name in argument '{lld}'")
    with open(script, encoding="utf-8") as stream:
        text = stream.read()
    digest = hashlib.sha256(text.encode())
    for file in [words[2], *re.findall(r"INPUT\(([^)]+)\)", text)]:
        if not os.path.exists(file):
            raise Refused(f"ld.lld: error: cannot find {file}")
        with open(file, "rb") as stream:
            data = stream.read()
        elf = read_elf(data, file)
        if elf.type != 1 or elf.machine != MACHINE or architecture_of(elf.flags) != target:
            raise Refused(f"ld.lld: error: {file} is incompatible with {words[2]}")
        digest.update(data)
    origin = re.search(r"data \(!RX\) : ORIGIN = (0x[0-9A-Fa-f]+)", text)
    assert origin is not None
    number = of_architecture(target).elf_flag
    data_address = -(-int(origin[1], 16) // 4) * 4
    segments = [(0, digest.digest() * 4, 128), (data_address, digest.digest()[:16], 16)]
    write(words[-1], write_core_elf(segments, number))
