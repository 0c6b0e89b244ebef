"""What may remain of a device after step 1, by what reads it then. All else was to be lowered: it is refused.

Without this check an operation that parser and verifier know, and no pass, would go through all steps unseen:
routing, configuration and core code take what they know and leave the rest alone, as in MLIR-AIE. What a
runtime sequence holds is checked where it becomes instructions.
"""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.ir.core import Operation
from npuninja.ir.symbols import RUNTIME_SEQUENCES

#: What reads them -> operations.
_READ_BY: dict[str, str] = {
    "all": "aie.device aie.tile aie.buffer aie.external_buffer aie.lock aie.use_lock aie.end",
    "routing": "aie.flow aie.packet_flow aie.packet_source aie.packet_dest",
    "configuration: switches": "aie.switchbox aie.shim_switchbox aie.shim_mux aie.connect aie.amsel "
    "aie.masterset aie.packet_rules aie.rule aie.configure_cascade",
    "configuration: DMAs": "aie.mem aie.memtile_dma aie.shim_dma aie.dma aie.dma_start aie.dma_bd "
    "aie.dma_bd_packet aie.next_bd",
    "core code": "aie.core aie.put_stream aie.get_stream aie.put_cascade aie.get_cascade aie.event",
    # Where a core's program is made it is refused by name: the reference's calls a function that is nowhere.
    "core code, which refuses it": "aie.debug",
    "sequences": "aie.shim_dma_allocation aie.bd_chain aie.objectfifo_rearm_binding aie.trace.config "
    "aie.trace.reg aiex.scratchpad_parameter",
    # The reference's outputs have them too.
    "nothing: there is no programmable logic": "aie.plio",
    "nothing: they follow from the places of tiles": "aie.wire aiex.getTile",
}
REMAINING = frozenset(name for names in _READ_BY.values() for name in names.split())


def check_lowered(device: Operation) -> None:
    """Refuses what remains after step 1 and is read by nothing.

    Raises:
        UserError: an operation of the AIE dialects is still there that is none of these.
    """
    for top in device.body.ops:
        if top.name in RUNTIME_SEQUENCES:
            continue
        for op in top.walk():
            if op.name not in REMAINING and op.name.startswith(("aie.", "aiex.")):
                raise UserError(
                    f"'{op.name}' is read here, and nothing lowers it",
                    op.loc,
                    hint="docs/dialect.md lists what is lowered; if it is new, it needs a pass (CONTRIBUTING.md)",
                )
