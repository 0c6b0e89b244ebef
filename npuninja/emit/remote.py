"""Commands that another machine runs: what is put in place of `$stage`."""

from __future__ import annotations

from npuninja.emit.batch import RULE
from npuninja.plan.graph import Batch, Edge, Graph


def remote_stage(graph: Graph, command: Edge | Batch) -> tuple[str, ...]:
    """The words of `$remote`, which come before a command which another machine runs; () for one of
    this machine.

    They name every file that the command reads and makes, because the other machine sees nothing else.
    """
    if isinstance(command, Batch):
        rule, inputs, outputs = RULE, command.inputs, command.outputs
    else:
        rule, inputs = command.rule, (*command.inputs, *command.implicit)
        outputs = (*command.outputs, *command.implicit_outputs)
    return ("--needs", *inputs, "--makes", *outputs, "--") if rule in graph.remote_rules else ()
