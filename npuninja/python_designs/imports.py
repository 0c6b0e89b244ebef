"""Reads off a design's imports which release of MLIR-AIE it is written for, without running it."""

from __future__ import annotations

import ast
import functools
import os

from npuninja.python_designs.construct.generation import FIRST, SECOND, THIRD
from npuninja.records import NamedTuple

_MODULES = {
    "aie.iron.placers": FIRST,
    "aie.iron.localbuffer": FIRST,
    "aie.utils.trace_events_enum": FIRST,
    "aie.utils.xrt": FIRST,
    "aie.utils.trace.events": SECOND,
    "aie.utils.npukernel": SECOND,
    "aie.iron.kernels": THIRD,
    "aie.utils.hostruntime.argparse": THIRD,
    "aie.utils.hostruntime.cli": THIRD,
    "aie.utils.benchmark": THIRD,
    "aie.utils.verify": THIRD,
    "aie.iron.scratchpad_parameter": THIRD,
    "aie.iron.lock": THIRD,
}
_OLD_TRACE = ("configure_packet_tracing_flow", "configure_packet_tracing_aie2", "gen_trace_done_aie2")
_NAMES = {
    **dict.fromkeys(("GlobalBuffer", "LocalBuffer", "detect_npu_device", "PlacementTile", "SequentialPlacer"), FIRST),
    **dict.fromkeys(_OLD_TRACE, FIRST),
    **dict.fromkeys(("configure_trace", "start_trace", "NPUKernel", "DefaultNPURuntime", "TraceConfig"), SECOND),
    **dict.fromkeys(
        (
            "In", "Out", "InOut", "CompileTime", "Compile", "TaskGroup", "ScratchpadParameter", "sync_parameters", "CascadeFlow",
            "TileDma", "DmaChannel", "PacketFlow", "BdIteration", "compileconfig", "CallableDesign", "CompilableDesign",
            "ensure_current_device", "get_compile_arg",
        ),
        THIRD,
    ),
}  # fmt: skip
_METHODS = {"add_flow": THIRD, "add_tile_dma": THIRD, "specialize": THIRD, "as_mlir": THIRD}
# The generation that decides when a design has names of several, the first that it has.
_ORDER = (THIRD, FIRST, SECOND)


class Evidence(NamedTuple):
    """The generation and what it was read off; `reason` is "" when nothing tells."""

    generation: str
    reason: str
    line: int = 0


def generation_of(script: str) -> Evidence:
    """A design's generation, by its imports and calls, else those of modules beside it, else the second."""
    seen: set[str] = set()
    found = _search(script, seen)
    if any(evidence.reason.startswith("external_func(") for evidence in found):
        # Calls of the first generation's trace often stay behind an `if` that is never true.
        found = [e for e in found if e.reason.rpartition(".")[2] not in _OLD_TRACE]
    for wanted in _ORDER:
        for evidence in found:
            if evidence.generation == wanted:
                return evidence
    return Evidence(SECOND, "")


def is_jitted(script: str) -> bool:
    """Whether a script's designs are functions under `@iron.jit`, which print nothing by themselves."""
    try:
        with open(script, "rb") as stream:
            tree = ast.parse(stream.read(), script)
    except (OSError, SyntaxError, ValueError):
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                name = decorator.func if isinstance(decorator, ast.Call) else decorator
                if (name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")) == "jit":
                    return True
    return False


def _search(path: str, seen: set[str]) -> list[Evidence]:
    if path in seen or len(seen) > 50:
        return []
    seen.add(path)
    try:
        with open(path, "rb") as stream:
            said, beside = _of_text(stream.read())
    except (OSError, SyntaxError, ValueError):
        return []
    found = list(said)
    for name in beside:
        file = os.path.join(os.path.dirname(path), *name.split(".")) + ".py"
        if name and os.path.isfile(file):
            found += _search(file, seen)
    return found


@functools.lru_cache(64)  # many designs of a project import one module
def _of_text(text: bytes) -> tuple[tuple[Evidence, ...], tuple[str, ...]]:
    """What a module's own text tells, and the modules that it imports and that may lie beside it."""
    tree = ast.parse(text)
    found: list[Evidence] = []
    beside: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            found += _of_module(module, node.lineno)
            if module.split(".")[0] == "aie":
                found += [
                    Evidence(_NAMES[a.name], f"{module}.{a.name}", node.lineno)
                    for a in node.names
                    if a.name in _NAMES
                ]
            else:
                beside.append(module)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                found += _of_module(alias.name, node.lineno)
                beside.append(alias.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in ("iron", "trace_utils") and node.attr in _NAMES:
                found.append(Evidence(_NAMES[node.attr], f"{node.value.id}.{node.attr}", node.lineno))
            elif node.value.id == "iron" and node.attr == "kernels":
                found.append(Evidence(THIRD, "iron.kernels", node.lineno))
        elif isinstance(node, ast.Call):
            found += _of_call(node)
    return tuple(found), tuple(beside)


def _of_module(module: str, line: int) -> list[Evidence]:
    if module in _MODULES:
        return [Evidence(_MODULES[module], module, line)]
    if ".dialects.ext" in module:
        return [Evidence(FIRST, module, line)]
    return []


#: (name of what is called, keyword) -> the generation that has it.
_KEYWORDS = {
    ("Program", "workers"): THIRD,
    ("external_func", "link_with"): SECOND,
    **dict.fromkeys(((name, "placement") for name in ("Worker", "fill", "drain")), FIRST),
    ("Worker", "tile"): SECOND,
}


def _of_call(node: ast.Call) -> list[Evidence]:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    keywords = {k.arg for k in node.keywords}
    if name == "Runtime" and node.args:
        return [Evidence(THIRD, "Runtime(function, …)", node.lineno)]
    if name in _METHODS:
        return [Evidence(_METHODS[name], f".{name}()", node.lineno)]
    if name == "core" and (len(node.args) > 1 or "link_with" in keywords):
        return [Evidence(FIRST, "core(…, link_with)", node.lineno)]
    for (called, keyword), generation in _KEYWORDS.items():
        if name == called and keyword in keywords:
            return [Evidence(generation, f"{name}(…, {keyword}=)", node.lineno)]
    return []
