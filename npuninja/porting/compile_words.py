"""The words of a C or C++ compiler's command line."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from npuninja.file_kinds import C_SUFFIXES

SOURCE_SUFFIXES = (*C_SUFFIXES, ".C", ".c++", ".s", ".S")
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
#: Beginnings of words, whose value may also be the next word -> the list that it goes to.
_LISTS = {
    **dict.fromkeys(("-I", "-isystem", "-idirafter", "-iquote"), "include"),
    "-D": "defines",
    "-l": "libraries",
    "-L": "library_folders",
}
_FOLDERS = ("include", "library_folders")


@dataclass
class CompileWords:
    """A command line, taken apart. Paths are absolute, in the order of the words.

    `libraries` has names, as after `-l`, and paths of files.
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
    rest = list(reversed(words))

    def absolute(path: str) -> str:
        return os.path.normpath(os.path.join(folder, path))

    while rest:
        word = rest.pop()
        prefix = next((known for known in _LISTS if word.startswith(known)), "")
        if word == "-c":
            found.only_compiles = True
        elif word == "-o":
            found.output = absolute(rest.pop() if rest else "")
        elif prefix:
            value = word[len(prefix) :] or (rest.pop() if rest else "")
            name = _LISTS[prefix]
            getattr(found, name).append(absolute(value) if name in _FOLDERS else value)
        elif word.startswith(("-std=", "--std=")):
            found.language = word.partition("=")[2].replace("c++2a", "c++20").replace("c++2b", "c++23")
        elif word in _WITH_VALUE:
            rest[-1:] = []
        elif word.startswith("-"):
            found.flags += [] if word.startswith(_OWN) else [word]
        else:
            _add_file(found, word, absolute(word))
    return found


def _add_file(found: CompileWords, word: str, path: str) -> None:
    if word.endswith(SOURCE_SUFFIXES):
        found.sources.append(path)
    elif _SHARED_LIBRARY.search(word):
        found.libraries.append(path)
    elif word.endswith(OBJECT_SUFFIXES):
        found.objects.append(path)


def found_libraries(libraries: Sequence[str], folders: Sequence[str]) -> list[str]:
    """Libraries as the linker finds them: a name that is in one of the folders becomes its file's path."""
    found = []
    for name in libraries:
        paths = (os.path.join(folder, f"lib{name}{end}") for folder in folders for end in (".so", ".a"))
        found.append(name if "/" in name else next(filter(os.path.isfile, paths), name))
    return found
