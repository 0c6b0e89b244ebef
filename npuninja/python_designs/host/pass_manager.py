"""`aie.passmanager`: passes of npuninja's lowering on a module of a design, by the names of MLIR-AIE's passes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from npuninja.errors import Warnings
from npuninja.ir.core import Operation
from npuninja.lowering import passes
from npuninja.lowering.generation import rules_of
from npuninja.python_designs.construct.generation import generation
from npuninja.python_designs.offered import PAGE
from npuninja.records import NamedTuple

_WORD = re.compile(r"\s*([\w.-]+)\s*(\{[^}]*\})?\s*")
#: Operations that pipelines nest in; a pass knows by itself what it runs on.
_ANCHORS = ("builtin.module", "aie.device", "any", "module")


# A pass stands several times in the pipeline when its arguments differ by generation.
_KNOWN: dict[str, list[passes.Pass]] = {}
for _one in (one for step in passes.STEPS.values() for one in step):
    _KNOWN.setdefault(_one.name, []).append(_one)


class Step(NamedTuple):
    """A pass of a pipeline, and its options as they are written."""

    name: str
    options: str


class PassManager:
    """A pipeline of passes.

    Raises:
        ValueError: the text is no pipeline.
        NotImplementedError: a pass that npuninja does not have, or one with options.
    """

    def __init__(self, anchor_op: str = "any", context: Any = None) -> None:
        self._text = anchor_op
        self._steps: list[Step] = []

    @classmethod
    def parse(cls, pipeline: str, context: Any = None) -> PassManager:
        """A pipeline from its text: `builtin.module(aie.device(aie-place-tiles))`."""
        made = cls(context=context)
        made._text = pipeline
        made._steps = list(_read(pipeline))
        return made

    def add(self, pipeline: str) -> None:
        """Adds passes behind those that are there."""
        self._steps += _read(pipeline)

    def run(self, operation: Any, invalidate_analyses: bool = True) -> None:
        """Runs the passes on a module, or on its operation, in place."""
        root = getattr(operation, "ir", None)
        if not isinstance(root, Operation) or root.name != "builtin.module":
            raise ValueError(f"passes run on modules, got {operation!r}")
        wanted = [one for step in self._steps for one in _KNOWN[step.name]]
        passes.run_passes(wanted, root, passes.PassSettings(rules_of(generation()), Warnings()))

    def enable_verifier(self, enable: bool = True) -> None:
        """Changes nothing: a module is verified where it is printed."""

    def enable_ir_printing(self, *_: Any, **__: Any) -> None:
        """Not offered. Raises NotImplementedError."""
        raise NotImplementedError(
            f"printing between passes is not offered ({PAGE}); npuninja lower --print-after does it"
        )

    def __str__(self) -> str:
        return self._text


def _read(text: str) -> Iterator[Step]:
    """The passes of a pipeline, in order."""
    at, depth = 0, 0
    while at < len(text):
        if text[at] in ",)" or text[at].isspace():
            depth -= text[at] == ")"
            at += 1
            continue
        word = _WORD.match(text, at)
        if word is None or depth < 0:
            raise ValueError(f"no pipeline of passes: {text[at:]!r}")
        at = word.end()
        if text[at : at + 1] == "(":
            if word[1] not in _ANCHORS:
                raise NotImplementedError(f"passes on {word[1]} are not offered ({PAGE})")
            depth += 1
            at += 1
        elif word[1] in _ANCHORS:
            continue
        elif word[1] not in _KNOWN or word[1].startswith("own-"):
            raise NotImplementedError(
                f"the pass {word[1]} is not offered ({PAGE}); npuninja lower --passes lists those that are"
            )
        elif word[2] and word[2].strip("{} "):
            raise NotImplementedError(f"options of the pass {word[1]} are not offered ({PAGE}): {word[2]}")
        else:
            yield Step(word[1], word[2] or "")
    if depth:
        raise ValueError(f"no pipeline of passes: a bracket is missing in {text!r}")


NAMES: dict[str, Any] = {"PassManager": PassManager}
