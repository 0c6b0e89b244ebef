"""Which kernels may shift by a count known only when they run: see npuninja/stages/_shift_counts.py."""

from __future__ import annotations

import os
import re

from npuninja import kernel_headers

# Compiled at first use, since most kernels have no shift and each is a process.
_ASIDE = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
# `vector<int, native<N>>`: its brackets are no shift. A comparison has a blank before its right side.
_TEMPLATE_ARGUMENTS = r"\b[A-Za-z_]\w*<(?=\S)[^;(){}<>=|!?]*>"
_TEMPLATES_DEEP = 4
_INCLUDE = r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]'
_NUMBER_ALONE = r"\s*\(*\s*(?:0[xX][0-9a-fA-F]+|\d+)[uUlL]*\s*(?:[);,?:&|^<>=\]]|$)"
_SHIFT = rf"(?:<<|>>)=?(?!{_NUMBER_ALONE})\s*[\w(~!+*:-]"


def in_file(path: str) -> bool:
    """Whether a source, or a header that is not ours, may have such shifts; not where it cannot be read."""
    return may_shift_by_values(_text(path))


def in_file_or_included(path: str, folders: tuple[str, ...]) -> bool:
    """Whether a source, or a file that it includes by a name that can be found, may have such shifts.

    It saves compiling twice: what a compiler read is known only afterwards.

    Args:
        path: of the source.
        folders: include folders, in their order.
    """
    seen: set[str] = set()
    waiting = [path]
    while waiting:
        path = os.path.normpath(waiting.pop())
        if path in seen:
            continue
        seen.add(path)
        text = _text(path)
        if may_shift_by_values(text):
            return True
        for bracket, name in re.findall(_INCLUDE, text, re.MULTILINE):
            beside = (os.path.dirname(path),) if bracket == '"' else ()
            found = (os.path.join(folder, name) for folder in (*beside, *folders))
            waiting += [file for file in found if os.path.isfile(file)][:1]
    return False


def _text(path: str) -> str:
    """What is in a file; "" if it is one of our headers, whose counts are in range, or cannot be read."""
    if path.startswith(kernel_headers.INCLUDE_FOLDER + os.sep):
        return ""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def may_shift_by_values(text: str) -> bool:
    """Whether a source or header has a shift whose count is not a number."""
    if "<<" not in text and ">>" not in text:
        return False
    text = re.sub(_ASIDE, " ", text, flags=re.DOTALL)
    if not re.search(_SHIFT, text, re.MULTILINE):
        return False
    for _ in range(_TEMPLATES_DEEP):
        text = re.sub(_TEMPLATE_ARGUMENTS, "T", text)
    return bool(re.search(_SHIFT, text, re.MULTILINE))
