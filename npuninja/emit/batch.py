"""Commands of several stages: the rules' own command lines, one after the other, for one process."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from npuninja.emit.escape import command_value, escape_value
from npuninja.plan.graph import Batch, Edge
from npuninja.records import NamedTuple

RULE = "batch"
# The command of a rule that is one stage and nothing else. A batch writes one depfile, so theirs are cut out.
_STAGE = re.compile(r"(?:@EXEC@ )?\$stage (?P<start>.*)--depfile \$out\.d (?P<end>.*)")
_FILES = re.compile(r"\$(in|out|options)\b")


class BatchPart(NamedTuple):
    """What a rule is as a part of a batch, with Ninja's variables: its command, and what is shown while it
    runs.
    """

    command: str
    says: str


def parts_of(rules: Mapping[str, Mapping[str, str]]) -> dict[str, BatchPart]:
    """The rules of a build file that can be parts of a batch; none when there is no rule that runs one."""
    if RULE not in rules:
        return {}
    batch_parts = {}
    for name, variables in rules.items():
        command = _STAGE.fullmatch(variables.get("command", ""))
        if command:
            says = variables.get("description", name).removesuffix(" $out")
            batch_parts[name] = BatchPart(f"--then {command['start']}{command['end']}", says)
    return batch_parts


def batch_variables(batch: Batch, batch_parts: Mapping[str, BatchPart]) -> dict[str, str]:
    """The variables of the statement that runs a batch, escaped for Ninja: the stages, the depfile, the
    description.
    """
    labels = dict.fromkeys(batch_parts[edge.rule].says for edge in batch.edges)
    return {
        "steps": " ".join(_command(edge, batch_parts[edge.rule].command) for edge in batch.edges),
        "record": command_value((f"{batch.name}.d",)),
        "says": f"{' '.join(labels)} {escape_value(posixpath.dirname(batch.name))}",
    }


def _command(edge: Edge, command: str) -> str:
    values = {"in": edge.inputs, "out": edge.outputs, "options": edge.options}
    return _FILES.sub(lambda match: command_value(values[match[1]]), command)
