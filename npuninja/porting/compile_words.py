"""The words of a C or C++ compiler's command line."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

SOURCE_SUFFIXES = (".c", ".cc", ".cpp", ".cxx", ".C", ".c++", ".s", ".S")
OBJECT_SUFFIXES = (".o", ".a", ".obj")
_SHARED_LIBRARY = re.compile(r"lib[^/]*\.so(\.\d+)*$")
# Words with their value in the next one; those that npuninja gives itself are left out with it.
_WITH_VALUE = (
    "-target",
    "-MF",
    "-MT",
    "-MQ",
    "-arch",
    "-isystem",
    "-idirafter",
    "-iquote",
    "-include",
    "-L",
    "-Xclang",
)
_OWN = (
    "--target",
    "-target",
    "-march",
    "-mcpu",
    "-M",
    "-c",
    "-fPIC",
    "-Werror",
    "-g",
    "-v",
    "-P",
    "-f",
    "-p",
    "-D__AIENGINE__",
    "-D__AIEARCH__",
)
_INCLUDE_WORDS = ("-I", "-isystem", "-idirafter", "-iquote")


@dataclass
class CompileWords:
    """A command line, taken apart. Paths are absolute, in the order of the words.

    `libraries` has names, as behind `-l`, and paths of files.
    """

    sources: list[str] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)
    output: str = ""
    only_compiles: bool = False
    defines: list[str] = field(default_factory=list)
    include: list[str] = field(default_factory=list)
    library_folders: list[str] = field(default_factory=list)
    libraries: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    language: str = ""


def read_compile_words(words: Sequence[str], folder: str) -> CompileWords:
    """Takes a compiler's words apart.

    Args:
        words: without the program.
        folder: where the compiler runs.
    """
    found = CompileWords()

    def absolute(path: str) -> str:
        return os.path.normpath(os.path.join(folder, path))

    position = 0
    while position < len(words):
        word = words[position]
        position += 1

        def value(prefix: str, word: str = word) -> str:
            nonlocal position
            if word != prefix:
                return word[len(prefix) :].lstrip("=") if prefix.startswith("--") else word[len(prefix) :]
            position += 1
            return words[position - 1] if position <= len(words) else ""

        include = next((w for w in _INCLUDE_WORDS if word.startswith(w)), "")
        if word == "-c":
            found.only_compiles = True
        elif word == "-o":
            found.output = absolute(value("-o"))
        elif include:
            found.include.append(absolute(value(include)))
        elif word.startswith("-D"):
            found.defines.append(value("-D"))
        elif word.startswith("-l"):
            found.libraries.append(value("-l"))
        elif word.startswith("-L"):
            found.library_folders.append(absolute(value("-L")))
        elif word.startswith(("-std=", "--std=")):
            found.language = word.partition("=")[2].replace("c++2a", "c++20").replace("c++2b", "c++23")
        elif word.startswith("-"):
            if word in _WITH_VALUE:
                position += 1
            elif not word.startswith(_OWN):
                found.flags.append(word)
        elif word.endswith(SOURCE_SUFFIXES):
            found.sources.append(absolute(word))
        elif _SHARED_LIBRARY.search(word):
            found.libraries.append(absolute(word))
        elif word.endswith(OBJECT_SUFFIXES):
            found.objects.append(absolute(word))
    return found


def found_libraries(libraries: Sequence[str], folders: Sequence[str]) -> list[str]:
    """Libraries as the linker finds them: names that are in one of the folders become the paths of their files."""
    found = []
    for name in libraries:
        paths = (os.path.join(folder, f"lib{name}{end}") for folder in folders for end in (".so", ".a"))
        found.append(name if "/" in name else next(filter(os.path.isfile, paths), name))
    return found
