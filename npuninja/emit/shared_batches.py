"""Batches whose statements differ in the design's folder and name only share a rule.

Ninja reads every statement at each start. With many designs of one kind the stages of their batches are most of
build.ninja; in a rule they stand once.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from npuninja.emit.batch import RULE, Part, batch_variables
from npuninja.emit.escape import escape_value
from npuninja.plan.graph import Batch

_VARIABLES = re.compile(r"\$(?:\{(record|steps|says)\}|(record|steps|says)\b)")


class BatchCommand(NamedTuple):
    """How the statement of a batch runs it: its rule, and the rule's variables, escaped."""

    rule: str
    variables: Mapping[str, str]


class SharedBatches(NamedTuple):
    """The rules that batches share, and the command of every batch by its name."""

    rules: str
    commands: Mapping[str, BatchCommand]


def shared_batches(
    batches: Sequence[Batch], parts: Mapping[str, Part], rule: Mapping[str, str]
) -> SharedBatches:
    """Finds what batches have in common.

    Args:
        batches: of a graph.
        parts: of the template.
        rule: the variables of the rule `batch`, as build.ninja is to have them.
    """
    own = {batch.name: batch_variables(batch, parts) for batch in batches}
    forms = {name: _form(name, variables) for name, variables in own.items()}
    often = Counter(form for form in forms.values() if form is not None)
    names: dict[tuple[str, ...], str] = {}
    commands: dict[str, BatchCommand] = {}
    for name, form in forms.items():
        if form is None or often[form] < 2:
            commands[name] = BatchCommand(RULE, own[name])
            continue
        shared = names.setdefault(form, f"{RULE}_{len(names) + 1}")
        folder, design = _folder_and_design(name)
        commands[name] = BatchCommand(shared, {"folder": folder, "design": design})
    return SharedBatches("\n\n".join(_rule(name, form, rule) for form, name in names.items()), commands)


def _rule(name: str, form: tuple[str, ...], rule: Mapping[str, str]) -> str:
    values = dict(zip(("steps", "record", "says"), form))
    lines = [
        f"  {variable} = {_VARIABLES.sub(lambda found: values[found[1] or found[2]], value)}"
        for variable, value in rule.items()
    ]
    return "\n".join([f"rule {name}", *lines])


def _form(name: str, variables: Mapping[str, str]) -> tuple[str, ...] | None:
    """The variables with `${folder}` and `${design}` in place of what is one design's; None when these would not mean
    the same.
    """
    folder, design = _folder_and_design(name)
    if not design or "$" in folder:
        return None
    place, called = (
        re.compile(rf"{re.escape(folder)}(?=/|$)"),
        re.compile(rf"(?<![\w.-]){re.escape(design)}(?!\w)"),
    )
    values = tuple(variables[key] for key in ("steps", "record", "says"))
    form = tuple(called.sub("${design}", place.sub("${folder}", value)) for value in values)
    again = tuple(text.replace("${design}", design).replace("${folder}", folder) for text in form)
    return form if again == values else None


def _folder_and_design(name: str) -> tuple[str, str]:
    folder = posixpath.dirname(name)
    return escape_value(folder), posixpath.basename(folder)
