"""What happens to a device before anything is assigned: it is brought into its simplest form."""

from __future__ import annotations

from npuninja.errors import Warnings
from npuninja.ir.core import Operation, erase_all
from npuninja.lowering.generation import Rules
from npuninja.lowering.resources.contiguous_transfers import linearize_descriptors, linearize_transfers
from npuninja.lowering.tiles import ops_of


def canonicalize_device(device: Operation, rules: Rules, warnings: Warnings) -> None:
    """Drops tiles without users and writes transfers linearly where the generation does so."""
    _join_tiles(device)
    drop_unused_tiles(device)
    _put_tiles_before_cores(device, warnings)
    if rules.linearizes_transfers:
        linearize_transfers(device)
        linearize_descriptors(device, keeps_iteration=rules.ignores_single_steps)


def drop_unused_tiles(device: Operation) -> None:
    """Takes out the tile ops that nothing uses: MLIR's rewriting removes what has neither effect nor user."""
    used = {value for op in device.walk() for value in op.operands}
    erase_all(op for op in ops_of(device, "aie.tile") if op.result not in used)


def _join_tiles(device: Operation) -> None:
    """Tiles are without effect, so of several equal ones MLIR leaves the first."""
    first: dict[tuple[object, ...], Operation] = {}
    replaced = {}
    for op in list(ops_of(device, "aie.tile")):
        kept = first.setdefault(tuple(sorted(op.attributes.items())), op)
        if kept is not op:
            replaced[op.result] = kept.result
            op.erase()
    if replaced:
        device.replace_uses(replaced)


def _put_tiles_before_cores(device: Operation, warnings: Warnings) -> None:
    """Moves the tiles to the front when one comes after a core, since cores use the buffers put after the
    last tile. Warns where a fifo's buffers are meant: MLIR-AIE does not move it.
    """
    body = device.body
    names = [op.name for op in body.ops]
    user = next((op for op in body.ops if op.name == "aie.core" and _uses_fifo(op)), None)
    if user is not None:
        behind = next((op for op in body.ops[body.ops.index(user) :] if op.name == "aie.tile"), None)
        if behind is not None:
            warnings.add(
                "this tile comes after a core that uses an objectFifo. MLIR-AIE's own tools fail on that "
                '("operand #0 does not dominate this use"), since they put the fifo\'s buffers after the '
                "last tile: put all tiles before the cores",
                behind.loc,
            )
    if "aie.core" in names and "aie.tile" in names[names.index("aie.core") :]:
        body.ops.sort(key=lambda op: op.name != "aie.tile")


def _uses_fifo(core: Operation) -> bool:
    return any(op.name in ("aie.objectfifo.acquire", "aie.objectfifo.release") for op in core.walk())
