"""Flags for host programs, from which compile_commands.json is made too."""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.file_kinds import CXX_SUFFIXES

if TYPE_CHECKING:
    from typing import Iterable

_CPLUSPLUS = (*CXX_SUFFIXES, ".C", ".c++")
#: What programs for today's XRT are written in, where they do not say it.
_DEFAULT_LANGUAGE = "gnu++20"


def compile_words(
    source: str,
    language: str,
    headers: str,
    xrt_include: str,
    *,
    defines: Iterable[str] = (),
    include: Iterable[str] = (),
    flags: Iterable[str] = (),
) -> list[str]:
    """The compiler's words between the program and the files.

    Args:
        source: the file; its suffix decides the language where none is given.
        language: a standard as `c++20`, or "".
        headers: the folder of headers for what older C++ libraries lack.
        xrt_include: XRT's headers; "" for those of the system.
        defines, include, flags: further ones, of the program.
    """
    is_cplusplus = source.endswith(_CPLUSPLUS) or "++" in language
    words = (
        [f"-std={language or _DEFAULT_LANGUAGE}"]
        if is_cplusplus
        else [f"-std={language}"]
        if language
        else []
    )
    words += ["-O2", *(f"-D{define}" for define in defines), *(f"-I{folder}" for folder in include)]
    if is_cplusplus:
        # A newer library's <bits/stdc++.h> has these types too, so programs do not all name the header.
        words += ["-idirafter", headers, "-include", "stdfloat"]
    # After everything else: the folder may be a whole system's, whose C library is not this one's.
    words += ["-idirafter", xrt_include] if xrt_include else []
    return words + list(flags)
