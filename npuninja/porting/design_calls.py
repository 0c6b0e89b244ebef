"""Several calls of aiecc on one module: what each makes of which device and sequence, as one design.

aiecc can be asked for one device of a module (`--device-name`), and can put its kernel into the XCLBIN of an
earlier call (`--xclbin-input`). npuninja builds a module at once: such calls are one design, whose settings
say which devices are built and what the kernels are called.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from npuninja.formats.xclbin_sections import DEFAULT_KERNEL_NAME
from npuninja.porting.found import DesignBuild

#: What makes a module: source, command line, flags, words replaced.
ModuleKey = tuple[object, ...]
#: What is in the name of a file for a device, or for a device and a sequence.
_PART = "{0}"
#: Files that a design has once, whichever part of it a call is for.
_OF_DESIGN = ("xclbin", "lowered", "full_elf", "parameters")


@dataclass(frozen=True)
class _Call:
    found: DesignBuild
    module: ModuleKey
    design: str


class DesignCalls:
    """The calls so far, in order."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    def add(self, found: DesignBuild, module: ModuleKey, design: str) -> None:
        """Takes a call, which is one of a design's."""
        self._calls.append(_Call(found, module, design))

    def design_of(self, found: DesignBuild, module: ModuleKey) -> str:
        """The design of earlier calls that a call belongs to; "" when it is the first of one."""
        for call in self._calls:
            if call.module != module or bool(call.found.device) != bool(found.device):
                continue
            others = [c.found for c in self._calls if c.design == call.design]
            xclbins = {other.outputs["xclbin"] for other in others if "xclbin" in other.outputs}
            own = found.outputs.get("xclbin")
            # One that goes on with an XCLBIN is of the design that made it; another XCLBIN is another design.
            joins = found.chained in xclbins if found.chained else own is None or xclbins <= {own}
            if joins:
                return call.design
        return ""

    def settings(self, design: str) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...], tuple[str, ...]]:
        """Of a design, its files by path with what they are, its devices, and what its kernels are called."""
        calls = [call.found for call in self._calls if call.design == design]
        devices = tuple(dict.fromkeys(found.device for found in calls if found.device))
        several = len(devices) > 1
        files: dict[str, str] = {}
        kernels: dict[str, str] = {}
        for found in calls:
            named = any(found.kernel)
            name = found.kernel[0] or DEFAULT_KERNEL_NAME
            if "xclbin" in found.outputs and (named or several):
                words = ":".join((name, *found.kernel[1:])).rstrip(":")
                kernels[found.device] = f"{found.device}={words}" if found.device else words
        for found in calls:
            part = ""
            if several:
                kernel = kernels.get(found.device, found.device)
                part = kernel.partition("=")[2].partition(":")[0] or kernel
            part = ".".join(filter(None, (part, found.sequence)))
            for kind, path in found.outputs.items():
                files[path] = f"{kind}:{part}" if part and kind not in _OF_DESIGN else kind
        return tuple(files.items()), devices, tuple(kernels.values())


def kind_of(path: str, files: Sequence[tuple[str, str]], source: str) -> str:
    """What a file of a design is, "" when it is not; one whose name has a device and a sequence in it too.

    Args:
        path: absolute.
        files: of the design; `{0}` stands for a device, or for a device and its sequence with `_` between
            them.
        source: the text of the module, where symbols are looked for.
    """
    known = dict(files)
    if path in known or _PART not in "".join(known):
        return known.get(path, "")
    for pattern, kind in files:
        before, mark, after = pattern.partition(_PART)
        if not mark or not path.startswith(before) or not path.endswith(after):
            continue
        part = path[len(before) : len(path) - len(after)]
        for name in re.findall(r"\bruntime_sequence\s*@(\w+)", source) or ["sequence"]:
            if part == name or part.endswith(f"_{name}"):
                return kind if ":" in kind else f"{kind}:{name}"
        if part in re.findall(r"\bdevice\s*\(\w+\)\s*@(\w+)", source):
            return kind
    return ""
