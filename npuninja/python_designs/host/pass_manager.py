"""`aie.passmanager`: passes on a module of a design, by the names of MLIR's and MLIR-AIE's passes.

The passes are those of npuninja's lowering, with their options, and MLIR's general ones. A pass that npuninja
lacks runs only where it has nothing to do: on a module without the operations that it is about.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

from npuninja.arch.families import architectures
from npuninja.errors import Warnings
from npuninja.ir.core import Operation
from npuninja.ir.printer import print_module
from npuninja.lowering import number_operands, passes
from npuninja.lowering.control_flow import single_passes
from npuninja.lowering.generation import rules_of
from npuninja.python_designs.construct.generation import generation
from npuninja.python_designs.offered import PAGE
from npuninja.records import NamedTuple

_WORD = re.compile(r"\s*([\w.-]+)\s*(\{[^}]*\})?\s*")
_OPTION = re.compile(r"([\w-]+)=(\S+)")
#: Operations that pipelines nest in; a pass knows by itself what it runs on.
_ANCHORS = ("builtin.module", "aie.device", "any", "module", "func.func", "aie.core")
#: MLIR's general passes.
_GENERAL: dict[str, Callable[[Operation], None]] = {
    "canonicalize": single_passes.canonicalize,
    "cse": single_passes.join_subexpressions,
    "loop-invariant-code-motion": single_passes.move_invariants,
    "symbol-dce": single_passes.drop_unused_symbols,
}
#: Passes that npuninja lacks, and the beginnings of the names of the operations that they are about. On other
#: modules they have nothing to do, whatever their options.
_ABOUT = {
    "affine-loop-unroll": ("affine.for",),
    "affine-super-vectorize": ("affine.for",),
    "aie-lower-core-reset": ("aiex.core_reset",),  # the pass of channels' resets lowers those of cores too
    "aie-lower-dynamic-bd-pool": ("scf.",),  # loops of sequences that are left
    "aie-lower-set-lock": ("aiex.set_lock",),
    "aie-register-objectFifos": ("aie.objectfifo.register_process",),
    "aie-objectFifo-unroll": ("aie.objectfifo",),
    "aie-vector-transfer-lowering": ("vector.transfer",),
    "convert-linalg-to-affine-loops": ("linalg.",),
    "convert-linalg-to-loops": ("linalg.",),
    "convert-vector-to-scf": ("vector.transfer",),
    "expand-strided-metadata": ("memref.subview", "memref.reinterpret_cast", "memref.extract_strided"),
    "fold-memref-alias-ops": ("memref.subview", "memref.expand_shape", "memref.collapse_shape"),
}


def _flag(text: str) -> bool:
    if text not in ("true", "false", "1", "0"):
        raise ValueError(f"got {text!r}, expected true or false")
    return text in ("true", "1")


def _cores(text: str) -> int | None:
    return None if int(text) < 0 else int(text)


def _overlay(text: str) -> str:
    return "true" if _flag(text) else ""


def _scheme(text: str) -> str | None:
    return text or None


#: (pass, option) -> the setting that it is, and how its text is read.
_OPTIONS: dict[tuple[str, str], tuple[str, Callable[[str], Any]]] = {
    ("aie-place-tiles", "cores-per-col"): ("cores_per_column", _cores),
    ("aie-objectFifo-stateful-transform", "dynamic-objFifos"): ("dynamic_fifos", _flag),
    ("aie-objectFifo-stateful-transform", "packet-sw-objFifos"): ("packet_fifos", _flag),
    ("aie-assign-buffer-addresses", "alloc-scheme"): ("alloc_scheme", _scheme),
    ("aie-generate-column-control-overlay", "route-shim-to-tile-ctrl"): ("control_overlay", _overlay),
}

#: (pass, option) -> the values that the lowering has anyway.
_FIXED: dict[tuple[str, str], tuple[str, ...]] = {
    ("convert-vector-to-aievec", "aie-target"): architectures(),
    ("convert-vector-to-aievec", "target-backend"): ("llvmir",),
}

# A pass occurs several times in the pipeline when its arguments differ by generation.
_KNOWN: dict[str, list[passes.Pass]] = {}
for _one in (one for step in passes.STEPS.values() for one in step):
    if not _one.name.startswith("own-") and _one.name not in _GENERAL:
        _KNOWN.setdefault(_one.name, []).append(_one)
_KNOWN["aie-scf-to-control-flow"] = _KNOWN["convert-scf-to-cf"]  # its name of summer 2026


class PipelineStep(NamedTuple):
    """A pass of a pipeline, and its options as settings of the lowering."""

    name: str
    settings: dict[str, Any]


class Printing(NamedTuple):
    """When the module is printed: before a pass, after it, or only after one that changed it or failed."""

    before: bool = False
    after: bool = False
    if_changed: bool = False
    if_failed: bool = False


class PassManager:
    """A pipeline of passes.

    Raises:
        ValueError: the text is no pipeline, or an option has a wrong value.
        NotImplementedError: a pass or an option that npuninja does not have.
    """

    def __init__(self, anchor_op: str = "any", context: Any = None) -> None:
        self._text = anchor_op
        self._steps: list[PipelineStep] = []
        self._printing = Printing()

    @classmethod
    def parse(cls, pipeline: str, context: Any = None) -> PassManager:
        """A pipeline from its text: `builtin.module(aie.device(aie-place-tiles),canonicalize)`."""
        made = cls(context=context)
        made._text = pipeline
        made._steps = list(_read(pipeline))
        return made

    def add(self, pipeline: str) -> None:
        """Adds passes after those that are there."""
        self._steps += _read(pipeline)

    def run(self, operation: Any, invalidate_analyses: bool = True) -> None:
        """Runs the passes on a module, or on its operation, in place.

        Raises:
            NotImplementedError: a pass that npuninja does not have has something to do.
            UserError: a pass cannot do its work.
        """
        root = getattr(operation, "ir", None)
        if not isinstance(root, Operation) or root.name != "builtin.module":
            raise ValueError(f"passes run on modules, got {operation!r}")
        for step in self._steps:
            self._run(step, root)

    def _run(self, step: PipelineStep, root: Operation) -> None:
        when = self._printing
        before = print_module(root) if when.before or when.if_changed else ""
        if when.before:
            _show(f"Before {step.name}", before)
        try:
            _run_pass(step, root)
        except Exception:
            if when.after:
                _show(f"After {step.name} Failed", print_module(root))
            raise
        if when.after and not when.if_failed:
            after = print_module(root)
            if not when.if_changed or after != before:
                _show(f"After {step.name}", after)

    def enable_verifier(self, enable: bool = True) -> None:
        """Changes nothing: a module is verified where it is printed."""

    def enable_ir_printing(
        self,
        print_before_all: bool = False,
        print_after_all: bool = True,
        print_module_scope: bool = False,
        print_after_change: bool = False,
        print_after_failure: bool = False,
        **form: Any,
    ) -> None:
        """Has the whole module printed on standard error around each pass.

        Args:
            print_before_all: before each pass.
            print_after_all: after each pass.
            print_module_scope: changes nothing: it is always the module.
            print_after_change: after a pass only where it changed something.
            print_after_failure: after a pass only where it failed.
            form: how it is printed; nothing of it is offered.

        Raises:
            NotImplementedError: another form is asked for.
        """
        for name, asked in form.items():
            if asked not in (None, False):
                raise NotImplementedError(f"{name} of enable_ir_printing() is not offered ({PAGE})")
        self._printing = Printing(print_before_all, print_after_all, print_after_change, print_after_failure)

    def __str__(self) -> str:
        return self._text


def _show(when: str, text: str) -> None:
    print(f"// -----// IR Dump {when} //----- //\n{text}", file=sys.stderr)


def _run_pass(step: PipelineStep, root: Operation) -> None:
    if step.name in _GENERAL:
        _GENERAL[step.name](root)
    elif step.name in _ABOUT:
        _refuse_work(step.name, root)
    else:
        rules = rules_of(generation())
        number_operands.numbers_from_values(root)
        settings = passes.PassSettings(rules, Warnings())._replace(**step.settings)
        passes.run_passes(_KNOWN[step.name], root, settings)
        if rules.numbers_are_values:
            number_operands.numbers_to_values(root)


def _refuse_work(name: str, root: Operation) -> None:
    for op in root.walk():
        if op.name.startswith(_ABOUT[name]):
            raise NotImplementedError(
                f"the pass {name} is not offered ({PAGE}), and the module has {op.name}"
            )


def _read(text: str) -> Iterator[PipelineStep]:
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
        name, options = word[1], (word[2] or "").strip("{} ")
        if text[at : at + 1] == "(":
            if name not in _ANCHORS:
                raise NotImplementedError(f"passes on {name} are not offered ({PAGE})")
            depth += 1
            at += 1
        elif name in _ANCHORS:
            continue
        elif name not in _KNOWN and name not in _GENERAL and name not in _ABOUT:
            raise NotImplementedError(
                f"the pass {name} is not offered ({PAGE}); npuninja lower --passes lists those of the "
                f"lowering, and {', '.join(_GENERAL)} are there too"
            )
        else:
            yield PipelineStep(name, _settings(name, options))
    if depth:
        raise ValueError(f"no pipeline of passes: a bracket is missing in {text!r}")


def _settings(name: str, options: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for option, text in _OPTION.findall(options) if name not in _ABOUT else ():
        if text in _FIXED.get((name, option), ()):
            continue
        setting = _OPTIONS.get((name, option))
        if setting is None:
            raise NotImplementedError(f"the option {option} of the pass {name} is not offered ({PAGE})")
        try:
            found[setting[0]] = setting[1](text)
        except ValueError as error:
            raise ValueError(f"option {option} of the pass {name}: {error}") from None
    rest = _OPTION.sub("", options).strip()
    if rest:
        raise ValueError(f"options of the pass {name}: got {rest!r}, expected NAME=VALUE")
    return found
