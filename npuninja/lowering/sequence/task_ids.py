"""Buffer descriptor ids of tasks in a runtime sequence.

One walk over the sequence: a task takes the ids its descriptors ask for, then the lowest free ones of its
tile; `dma_await_task` and `dma_free_task` give them back. Each sequence starts with all descriptors free.

Source: MLIR-AIE AIEAssignRuntimeSequenceBDIDs.cpp.
"""

from __future__ import annotations

from npuninja.arch.devices import TilePlace, bd_reachable
from npuninja.errors import UserError
from npuninja.ir.attributes import Attribute, IntegerAttr
from npuninja.ir.core import Operation, Value
from npuninja.ir.syntax import operand
from npuninja.lowering.sequence.checks import check_bd_id
from npuninja.lowering.tiles import kind_at, place_of


def descriptors(task: Operation) -> list[Operation]:
    """The `aie.dma_bd` operations of a task, in block order."""
    return [op for block in task.regions[0].blocks for op in block.ops if op.name == "aie.dma_bd"]


def task_of(op: Operation) -> Operation:
    """The `aiex.dma_configure_task` of a start, await or free. Raises UserError for another operation."""
    value = operand(op, "task")
    task = value.owner
    if not isinstance(task, Operation) or task.name != "aiex.dma_configure_task":
        raise UserError(
            f"'{op.name}' expects a task made by aiex.dma_configure_task in the same sequence, "
            f"found %{value.name}",
            op.loc,
        )
    return task


def assign_bd_ids(sequence: Operation, *, checks_tokens: bool) -> None:
    """Gives every task's descriptors their `bd_id` and `next_bd_id`, and erases `dma_free_task`.

    An await frees its task; that it is freed once more after that is the usual way to write it.

    Args:
        sequence: the runtime sequence.
        checks_tokens: an await for which no start before it issued a token is an error.

    Raises:
        UserError: an id is taken, does not exist or none is left, a task is freed twice, or see above.
    """
    in_use: dict[TilePlace, dict[int, Operation]] = {}
    live: set[Value] = set()
    awaited: set[Value] = set()
    tokens: dict[tuple[TilePlace, Attribute, int], int] = {}
    kept = []
    for op in sequence.body.ops:
        if op.name == "aiex.dma_configure_task":
            place = place_of(op.tile)
            _take(op, place, in_use.setdefault(place, {}))
            live.add(op.result)
        elif op.name == "aiex.dma_start_task" and checks_tokens:
            task = task_of(op)
            if task.flag("issue_token"):
                channel = _channel_of(task)
                tokens[channel] = tokens.get(channel, 0) + 1
        elif op.name == "aiex.dma_await_task":
            if checks_tokens:
                _take_token(op, tokens)
            value = operand(op, "task")
            if value in live or (checks_tokens and value not in awaited):
                _free(op, in_use, live)
            awaited.add(value)
        elif op.name == "aiex.dma_free_task":
            # The reference ignored all frees but the first; since it checks tokens, only one after an await.
            value = operand(op, "task")
            if value in live or (checks_tokens and value not in awaited):
                _free(op, in_use, live)
            op.parent = None
            continue
        kept.append(op)
    sequence.body.ops = kept


def _channel_of(task: Operation) -> tuple[TilePlace, Attribute, int]:
    return place_of(task.tile), task.attributes["direction"], task.integer("channel")


def _take_token(op: Operation, tokens: dict[tuple[TilePlace, Attribute, int], int]) -> None:
    """Counts an await; UserError when nothing before it issues the token that it waits for."""
    task = task_of(op)
    if not task.flag("issue_token"):
        return  # reported where tasks are lowered
    channel = _channel_of(task)
    if not tokens.get(channel):
        raise UserError(
            f"waits for a token of {channel[2]} on tile {channel[0]} that no task started before it issues",
            op.loc,
            notes=(("the task", task.loc),),
            hint="await a task once for each start with issue_token = true",
        )
    tokens[channel] -= 1


def _take(task: Operation, place: TilePlace, taken: dict[int, Operation]) -> None:
    kind = kind_at(task.tile)
    for bd in descriptors(task):
        if "bd_id" not in bd.attributes:
            continue
        number = bd.integer("bd_id")
        check_bd_id(bd, number, kind)
        if number in taken:
            raise UserError(
                f"buffer descriptor id {number} of tile ({place[0]}, {place[1]}) is in use",
                bd.loc,
                hint="await or free the task that uses it first (aiex.dma_await_task, aiex.dma_free_task)",
                notes=(("in use here", taken[number].loc),),
            )
        taken[number] = bd
    channel = task.integer("channel")
    for bd in descriptors(task):
        if "bd_id" in bd.attributes:
            continue
        free = (n for n in range(kind.bds) if n not in taken and bd_reachable(kind.name, channel, n))
        chosen = next(free, None)
        if chosen is None:
            raise UserError(
                f"all buffer descriptors of tile ({place[0]}, "
                f"{place[1]}) that channel {channel} can use are taken",
                task.loc,
                hint="await or free earlier tasks of this tile first (aiex.dma_await_task, "
                "aiex.dma_free_task)",
            )
        bd.attributes["bd_id"] = IntegerAttr(chosen, "i32")
        taken[chosen] = bd
    _chain(task)


def _chain(task: Operation) -> None:
    """`next_bd_id` of each descriptor: the id of the descriptor in the block that follows it."""
    for block in task.regions[0].blocks:
        last = block.last
        if last is None or last.name != "aie.next_bd":
            continue
        following = next((op for op in last.successors[0][0].ops if op.name == "aie.dma_bd"), None)
        if following is None:
            continue
        for op in block.ops:
            if op.name == "aie.dma_bd":
                op.attributes["next_bd_id"] = following.attributes["bd_id"]


def _free(op: Operation, in_use: dict[TilePlace, dict[int, Operation]], live: set[Value]) -> None:
    task = task_of(op)
    if task.result not in live:
        raise UserError(
            "the task is free already",
            op.loc,
            hint="aiex.dma_await_task frees the task it waits for; free each task once",
            notes=(("the task", task.loc),),
        )
    live.remove(task.result)
    taken = in_use[place_of(task.tile)]
    for bd in descriptors(task):
        del taken[bd.integer("bd_id")]
