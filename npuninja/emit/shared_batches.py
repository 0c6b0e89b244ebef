"""Batches whose statements differ in the design's folder and name only share a rule and a file of words.

At each start Ninja reads every statement, and makes the text of every command to see whether it is another
than last time. With many designs of one kind the stages of their batches are most of that text. So it is
once, in a file that configure.py writes, whose name says what is in it. A command names the file and the
batch's first output, from which folder and design follow: variables of a statement would cost Ninja as much
as a path each.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Mapping, Sequence

from npuninja.emit.batch import RULE, BatchPart, batch_variables
from npuninja.emit.escape import command_value, escape_value
from npuninja.emit.ninja_text import NinjaText, expand, rule_block, settled
from npuninja.plan.graph import Batch
from npuninja.records import NamedTuple
from npuninja.stages.table import rules

_VALUES = ("steps", "record", "says", "out")
_VARIABLES = re.compile(r"\$(?:\{(record|steps|says|out)\}|(record|steps|says|out)\b)")
# Characters of words, besides letters and digits.
_INSIDE = ("_", ".", "-")
# The option with which a rule's stage reads files that its command does not name. Other rules may read any.
_DISCOVERS = {name: row.discovers for name, row, _ in rules()}
_WHERE = {"folder": "${folder}", "design": "${design}"}


class BatchCommand(NamedTuple):
    """How a batch's statement runs it: rule, escaped variables, whether `$out` is the first output only."""

    rule: str
    variables: Mapping[str, str]
    names_first: bool = False


class SharedBatches(NamedTuple):
    """The rules that batches share, every batch's command by its name, files of words with their content."""

    rules: str
    commands: Mapping[str, BatchCommand]
    files: Mapping[str, str]


def shared_batches(
    batches: Sequence[Batch], batch_parts: Mapping[str, BatchPart], read: NinjaText, words_folder: str = ""
) -> SharedBatches:
    """Finds what batches have in common.

    Args:
        batches: of a graph.
        batch_parts: of the template.
        read: the rules and variables, as build.ninja is to have them.
        words_folder: where files of words may lie, as build.ninja names it; "" leaves the words there.
    """
    rule = read.rules.get(RULE, {})
    in_files = bool(words_folder) and f"@{rule.get('rspfile')}" in rule.get("command", "")
    alike: dict[tuple[str, ...] | None, list[Batch]] = {}
    own = {batch.name: batch_variables(batch, batch_parts) for batch in batches}
    for batch in batches:
        out = command_value(batch.outputs)
        alike.setdefault(_form(batch.name, {**own[batch.name], "out": out}), []).append(batch)
    commands = {name: BatchCommand(RULE, variables) for name, variables in own.items()}
    files: dict[str, str] = {}
    texts: list[str] = []
    for form, those in alike.items():
        if form is None or len(those) < 2:
            continue
        name, values = f"{RULE}_{len(texts) + 1}", dict(zip(_VALUES, form))
        if in_files:
            content = expand(_filled(rule["rspfile_content"], values), {**read.variables, **_WHERE}) + "\n"
            digest = hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()[:12]
            path = f"{words_folder}/{digest}.words"
            files[path] = content
            variables = _by_first_output(read, values, path, _discovers(those[0]))
        else:
            variables = {key: _filled(value, values) for key, value in rule.items()}
        texts.append(rule_block(name, variables))
        for batch in those:
            folder, design = _folder_and_design(batch.name)
            where = {} if in_files else {"folder": folder, "design": design}
            commands[batch.name] = BatchCommand(name, where, in_files)
    return SharedBatches("\n\n".join(texts), commands, files)


def _by_first_output(
    read: NinjaText, values: Mapping[str, str], words: str, discovers: bool
) -> dict[str, str]:
    """The rule of batches whose words are in a file, and whose `$out` is one file."""
    rule = read.rules[RULE]
    one = {**values, "out": "$out", "record": "$out.d", "says": values["says"].replace("${folder}", "$out")}
    own = {key: value for key, value in rule.items() if key not in ("rspfile", "rspfile_content")}
    own["command"] = own["command"].replace(f"@{rule['rspfile']}", f"@{words} $out")
    if not discovers:
        # For every output of every design Ninja would record, and read at each start, that nothing was found.
        own["command"] = own["command"].replace("--depfile $record ", "")
        own = {key: value for key, value in own.items() if key not in ("depfile", "deps")}
    own["command"] = settled(own["command"], read)
    return {key: _filled(value, one) for key, value in own.items()}


def _discovers(batch: Batch) -> bool:
    """Whether a stage of a batch may read files that its command does not name."""
    return any(_DISCOVERS.get(edge.rule, "-o") in ("-o", *edge.options) for edge in batch.edges)


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _VARIABLES.sub(lambda found: values[found[1] or found[2]], text)


def _form(name: str, variables: Mapping[str, str]) -> tuple[str, ...] | None:
    """The variables with `${folder}` and `${design}` in place of what is one design's.

    None when these would not mean the same.
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
