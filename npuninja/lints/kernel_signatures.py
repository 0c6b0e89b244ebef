"""Lint: a kernel's C parameter points to numbers of another width than the memref that the design passes.

The parameters are read off the source text where the object code says the function is. Only what is sure is
compared: pointers to number types of C and of the AIE API, by name. Left alone are templates, macros, other
types, pointers to bytes (a kernel may copy anything as bytes) and arguments of unknown type.
"""

from __future__ import annotations

import re

from npuninja import TYPE_CHECKING
from npuninja.errors import Location, Warnings, source_lines
from npuninja.lints.kernel_code import KernelFunction

if TYPE_CHECKING:
    from typing import Sequence

# Bytes of the types that a kernel's pointer may have; those of one byte are no claim about what lies there.
_BYTES = {
    **{
        f"{sign}int{bits}{end}": bits // 8
        for sign in ("", "u")
        for bits in (16, 32, 64)
        for end in ("", "_t")
    },
    **{"short": 2, "int": 4, "unsigned": 4, "float": 4, "double": 8, "bfloat16": 2, "half": 2, "_Float16": 2},
    **{"unsigned short": 2, "unsigned int": 4, "signed int": 4, "long long": 8, "unsigned long long": 8},
}
_ELEMENT = re.compile(r"(?:[su]?i|bf|f)(\d+)$")
_QUALIFIERS = re.compile(r"\b(?:const|volatile|restrict|__restrict__|__restrict|struct|std|aie)\b|::")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
#: Characters of a source that are read around the place of a function.
_BEFORE_LINES, _MOST_CHARACTERS = 12, 4000


def check_kernel_signatures(
    core: str,
    declared: Sequence[tuple[str, Location, Sequence[str | None]]],
    objects: Sequence[Sequence[KernelFunction]],
    warnings: Warnings,
) -> None:
    """Warns of each kernel whose parameter has another width than the design's memref.

    Args:
        core: for people, `core (0, 2)`.
        declared: name of each kernel that the core calls, where the design declares it, and the element type
            of each argument's memref; None for what is no memref.
        objects: the functions of each object that is linked.
        warnings: where to add.
    """
    visible = {f.name: f for functions in objects for f in functions}
    for name, place, elements in declared:
        kernel = visible.get(name)
        if kernel is None or not kernel.location.line:
            continue
        parameters, line = parameters_at(kernel.location, name)
        if len(parameters) != len(elements):
            continue
        for number, (parameter, element) in enumerate(zip(parameters, elements), start=1):
            match = _ELEMENT.fullmatch(element or "")
            pointed = pointed_bytes(parameter)
            if match is None or pointed is None or int(match[1]) == 8 * pointed:
                continue
            warnings.add(
                f"{core} calls {name}, whose parameter {number} is `{parameter}`, but the design passes "
                f"numbers of {element}, at {place}: each would be read with its neighbours, or in part",
                Location(kernel.location.file, line),
            )


def parameters_at(where: Location, name: str) -> tuple[list[str], int]:
    """The parameters of the function near a place, as written, and its line; an empty list if not found."""
    lines = source_lines(where.file)
    if not lines:
        return [], 0
    first = max(where.line - _BEFORE_LINES, 1)
    text = "\n".join(lines[first - 1 : where.line + _BEFORE_LINES])[:_MOST_CHARACTERS]
    text = _COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    for match in re.finditer(rf"\b{re.escape(name)}\s*\(", text):
        inside = _inside(text, match.end())
        behind = text[match.end() + len(inside) + 1 :].lstrip() if inside is not None else ""
        if inside is not None and behind.startswith(("{", "__attribute__", "noexcept")):
            return _split(inside), first + text.count("\n", 0, match.start())
    return [], 0


def _inside(text: str, start: int) -> str | None:
    """What is between a parenthesis that ends before `start` and the one that closes it."""
    depth = 1
    for at in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if not depth:
            return text[start:at]
    return None


def _split(text: str) -> list[str]:
    """The parameters between commas that are in no brackets."""
    parts, depth = [""], 0
    for c in text:
        depth += {"(": 1, "<": 1, "[": 1, ")": -1, ">": -1, "]": -1}.get(c, 0)
        if c == "," and not depth:
            parts.append("")
        else:
            parts[-1] += c
    found = [" ".join(part.split()) for part in parts]
    return [] if found in ([""], ["void"]) else found


def pointed_bytes(parameter: str) -> int | None:
    """Bytes of what a parameter points to: `const int32_t *restrict x`, `int16 x[64]`; None when not sure."""
    text = " ".join(_QUALIFIERS.sub(" ", parameter).split())
    match = re.fullmatch(r"([A-Za-z_][\w ]*?)\s*(?:\*\s*\w*|\s\w+\s*\[[^\]]*\])", text)
    return _BYTES.get(match[1]) if match else None
