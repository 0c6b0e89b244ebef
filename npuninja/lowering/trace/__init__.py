"""Event traces: `aie.trace` becomes register writes of a runtime sequence and packet flows to host memory.

What lies where:
    flows.py          what records where to: packet ids, the shim's channel, the host's buffer, start and stop
    configuration.py  a trace's body as fields of registers, joined into one write a register
    inline.py         `aie.trace.start_config` as register writes

Rules: MLIR-AIE, AIEInsertTraceFlows.cpp, AIETraceToConfig.cpp, AIEInlineTraceConfig.cpp.
"""

from __future__ import annotations

from npuninja.ir.core import Operation
from npuninja.lowering.generation import Rules


def lower_traces(device: Operation, rules: Rules) -> None:
    """Lowers the traces of a device in place, as the first part of step 1; its tiles are placed.

    Raises:
        UserError: an unknown event, two traces of one unit, no free packet id or channel, a trace without
            start or stop, or no `aie.trace.host_config` in the sequence.
    """
    if not any(op.name in ("aie.trace", "aie.trace.config") for op in device.body.ops):
        return
    from npuninja.lowering.trace.configuration import configure_traces
    from npuninja.lowering.trace.flows import insert_trace_flows
    from npuninja.lowering.trace.inline import inline_configurations

    insert_trace_flows(device, rules)
    configure_traces(device)
    inline_configurations(device)
