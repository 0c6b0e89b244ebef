"""Depfiles: what an output depends on beyond the build file's inputs, in make's syntax as Ninja reads it."""

from __future__ import annotations

import os
import sys

#: What stands for a blank, a `#` and a `$`; and a word, which may have these.
_ESCAPED = r"\\[ #]|\$\$"
_WORD = rf"(?:{_ESCAPED}|\S)+"
#: The folder that the package lies in.
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def write_depfile(path: str, target: str, dependencies: list[str]) -> None:
    """Writes `target: dependency …`."""
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as stream:
        stream.write(depfile_text(target, dependencies))


def depfile_text(target: str, dependencies: list[str]) -> str:
    """The content of a depfile."""
    return escape(target) + ":" + "".join(" \\\n  " + escape(d) for d in dependencies) + "\n"


def read_depfile(path: str) -> list[str]:
    """The dependencies in a depfile that a compiler wrote, in order, each once."""
    import re  # 14 ms with what it imports, and only stages with a compiler read depfiles

    # Names of files are bytes; what is not UTF-8 comes back as it was.
    with open(path, encoding="utf-8", errors="surrogateescape") as stream:
        text = stream.read().replace("\\\r\n", " ").replace("\\\n", " ")
    # A target ends at the first colon that white space follows (`C:\\x` has none).
    _, _, rest = text.replace(":\n", ": \n").partition(": ")
    names = (re.sub(_ESCAPED, lambda match: match[0][1], word) for word in re.findall(_WORD, rest))
    return list(dict.fromkeys(names))


def escape(path: str) -> str:
    """A path as it is in a depfile."""
    # What Ninja's depfile parser undoes; nothing else needs escaping on systems with `/` in paths.
    return path.replace("$", "$$").replace(" ", "\\ ").replace("#", "\\#")


def own_modules(root: str) -> list[str]:
    """The loaded sources of npuninja, sorted: they decide what a stage makes, so its depfile has them."""
    prefix = os.path.join(root, "npuninja") + os.sep
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return sorted({f for f in files if f and f.startswith(prefix)})
