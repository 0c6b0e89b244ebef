"""What a kernel says before it includes the AIE API, and whether that could change the API's headers.

A kernel that includes the API first, or after macros and headers that mean nothing to it, can have the API
from a file that the compiler has read before.
"""

from __future__ import annotations

import functools
import os
import re

from npuninja import kernel_headers

_API = re.compile(r"aie_api/(?:aie|aie_adf)\.hpp")
#: A header of ours that begins with it.
_WITH_THE_API_FIRST = "lut_based_ops.h"
# A comment, or a string, in which nothing is one.
_COMMENT_OR_STRING = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_CONTINUED = re.compile(r"\\\n")
_INCLUDE = re.compile(r'#\s*include\s*([<"])([^>"]+)[>"]')
_DEFINE = re.compile(r"#\s*define\s+(\w+)")
#: Directives that change no macro, as far as headers can tell.
_IDLE = re.compile(r"#\s*(?:pragma\s+once|if|ifdef|ifndef|elif|else|endif|error|warning)\b")
#: Macros alone, which come before the first line of every kernel.
_MACROS = "macros.h"
#: The folder of what kernels bring along elsewhere; no header includes it.
_KERNELS_OWN = "aie_kernels"
#: Headers that the compiler itself has.
_COMPILERS = frozenset(("float.h", "limits.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h"))
_DEPTH = 6


def begins_with_the_api(source: str, folders: tuple[str, ...]) -> bool:
    """Whether a file includes the AIE API, and nothing before that could change what the API says.

    Args:
        source: path of a C++ file.
        folders: include folders, in their order.
    """
    return _scan(source, folders, _DEPTH) == "api"


def is_word_of_headers(name: str, *, after_the_macros: bool = False) -> bool:
    """Whether the headers for kernels have the word, so that a macro of this name could change them.

    Args:
        name: of the macro.
        after_the_macros: it is defined in a source, so after the macros that come before the first line:
            those are read.
    """
    text = _text_of_headers(after_the_macros)
    # Asked at every compilation with macros, and few of the names are anywhere in the headers.
    return name in text and re.search(rf"(?<![A-Za-z_]){re.escape(name)}(?!\w)", text) is not None


@functools.lru_cache(maxsize=2)
def _text_of_headers(without_macros: bool) -> str:
    texts = []
    for folder, _, names in os.walk(kernel_headers.INCLUDE_FOLDER):
        if os.path.basename(folder) == _KERNELS_OWN:
            continue
        for name in names:
            if without_macros and name == _MACROS:
                continue
            with open(os.path.join(folder, name), encoding="utf-8") as stream:
                texts.append(stream.read())
    return "\n".join(texts)


def _scan(path: str, folders: tuple[str, ...], depth: int) -> str:
    """`api`: the API comes in this file, before what matters; `nothing`: neither; `other`: not known."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            text = stream.read()
    except OSError:
        return "other"
    text = _COMMENT_OR_STRING.sub(lambda m: m[0] if m[0][0] == '"' else " ", _CONTINUED.sub(" ", text))
    for line in text.split("\n"):
        said = _line(line.strip(), path, folders, depth)
        if said != "nothing":
            return said
    return "nothing"


def _line(line: str, path: str, folders: tuple[str, ...], depth: int) -> str:
    if not line or _IDLE.match(line):
        return "nothing"
    define = _DEFINE.match(line)
    if define:
        return "other" if is_word_of_headers(define[1], after_the_macros=True) else "nothing"
    include = _INCLUDE.match(line)
    if not include or depth == 0:
        return "other"
    name = include[2]
    if _API.fullmatch(name):
        return "api"
    beside = (os.path.dirname(path),) if include[1] == '"' else ()
    for folder in (*beside, *folders, *kernel_headers.INCLUDE_FOLDERS):
        found = os.path.join(folder, name)
        if os.path.isfile(found):
            if folder == kernel_headers.INCLUDE_FOLDER and "/" not in name:
                return "api" if name == _WITH_THE_API_FIRST else "nothing"
            return _scan(found, folders, depth - 1)
    return "nothing" if name in _COMPILERS else "other"
