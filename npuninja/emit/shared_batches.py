"""Batches whose statements differ in the design's folder and name only share a rule and a file of words.

Ninja reads every statement at each start, and makes the text of every command to see whether it is another one than last
time. With many designs of one kind the stages of their batches are most of that text. So it stands once, in a file that
configure.py writes, whose name says what is in it; a command names the file, the folder and the design.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from npuninja.emit.batch import RULE, BatchPart, batch_variables
from npuninja.emit.escape import command_value, escape_value
from npuninja.emit.ninja_text import NinjaText, expand
from npuninja.plan.graph import Batch
from npuninja.records import NamedTuple

_VALUES = ("steps", "record", "says", "out")
_VARIABLES = re.compile(r"\$(?:\{(record|steps|says|out)\}|(record|steps|says|out)\b)")
# What a word goes on behind, besides letters and digits.
_INSIDE = ("_", ".", "-")
_WHERE = {"folder": "${folder}", "design": "${design}"}


class BatchCommand(NamedTuple):
    """How the statement of a batch runs it: its rule, and the rule's variables, escaped."""

    rule: str
    variables: Mapping[str, str]


class SharedBatches(NamedTuple):
    """The rules that batches share, the command of every batch by its name, and the files of words with their content."""

    rules: str
    commands: Mapping[str, BatchCommand]
    files: Mapping[str, str]


def shared_batches(
    batches: Sequence[Batch], parts: Mapping[str, BatchPart], read: NinjaText, words_folder: str = ""
) -> SharedBatches:
    """Finds what batches have in common.

    Args:
        batches: of a graph.
        parts: of the template.
        read: the rules and variables, as build.ninja is to have them.
        words_folder: where files of words may lie, as build.ninja names it; "" leaves the words there.
    """
    own = {batch.name: batch_variables(batch, parts) for batch in batches}
    made = {batch.name: command_value(batch.outputs) for batch in batches}
    forms = {name: _form(name, {**variables, "out": made[name]}) for name, variables in own.items()}
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
    files: dict[str, str] = {}
    rules = [_rule(name, form, read, words_folder, files) for form, name in names.items()]
    return SharedBatches("\n\n".join(rules), commands, files)


def _rule(name: str, form: tuple[str, ...], read: NinjaText, words_folder: str, files: dict[str, str]) -> str:
    """The text of a rule; adds its file of words to `files`."""
    values = dict(zip(_VALUES, form))
    rule = dict(read.rules.get(RULE, {}))
    response = "@" + rule.get("rspfile", "")
    if words_folder and "rspfile_content" in rule and response in rule.get("command", ""):
        content = expand(_filled(rule["rspfile_content"], values), {**read.variables, **_WHERE}) + "\n"
        digest = hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()[:12]
        path = f"{words_folder}/{digest}.words"
        files[path] = content
        rule["command"] = rule["command"].replace(
            response, f"@{path} 'folder=${{folder}}' 'design=${{design}}'"
        )
        del rule["rspfile"], rule["rspfile_content"]
    return "\n".join(
        [f"rule {name}", *(f"  {key} = {_filled(value, values)}" for key, value in rule.items())]
    )


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _VARIABLES.sub(lambda found: values[found[1] or found[2]], text)


def _form(name: str, variables: Mapping[str, str]) -> tuple[str, ...] | None:
    """The variables with `${folder}` and `${design}` in place of what is one design's; None when these would not mean
    the same.
    """
    folder, design = _folder_and_design(name)
    values = tuple(variables[key] for key in _VALUES)
    if not design or "$" in folder or "'" in name or any("$${" in value for value in values):
        return None
    form = tuple(_named(_placed(value, folder), design) for value in values)
    again = tuple(text.replace("${design}", design).replace("${folder}", folder) for text in form)
    return form if again == values else None


def _placed(text: str, folder: str) -> str:
    """A text with `${folder}` for the folder and what is in it."""
    text = text.replace(f"{folder}/", "${folder}/")
    return text.removesuffix(folder) + "${folder}" if text.endswith(folder) else text


def _named(text: str, design: str) -> str:
    """A text with `${design}` where the name is no part of a longer word."""
    first, *pieces = text.split(design)
    found = [first]
    for piece in pieces:
        before, after = found[-1][-1:], piece[:1]
        alone = not (before.isalnum() or before in _INSIDE) and not (after.isalnum() or after == "_")
        found.append(("${design}" if alone else design) + piece)
    return "".join(found)


def _folder_and_design(name: str) -> tuple[str, str]:
    folder = posixpath.dirname(name)
    return escape_value(folder), posixpath.basename(folder)
