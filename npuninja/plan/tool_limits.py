"""What the chosen tools cannot build but npuninja's own stages can: refused by name before anything runs."""

from __future__ import annotations

from npuninja.arch.devices import DEVICES
from npuninja.errors import ToolError, UserError
from npuninja.formats.xclbin_sections import LEAST_BUFFERS
from npuninja.plan.context import Context
from npuninja.plan.design import Design
from npuninja.plan.driver_flags import read_driver_flags
from npuninja.plan.providers import OWN_COMPILER


def check_tools(context: Context, design: Design) -> None:
    """Looks at a design with the eyes of the tools that are to build it.

    Raises:
        UserError: one of them cannot; located in the design.
        ToolError: Peano has no target for the device.
    """
    _check_aiecc(context, design)
    _check_buffers(context, design)
    if context.providers.for_npu:
        _check_target(context, design)


def _check_aiecc(context: Context, design: Design) -> None:
    """aiecc makes one kernel and one instruction file; its control packets reach only the tiles in use."""
    if context.providers.driver != "aiecc":
        return
    if read_driver_flags(design.aiecc_flags).control_overlay == "first":
        raise UserError(
            "the design has control packets routed to all tiles before anything else, "
            "and aiecc routes them to those in use",
            design.device_location,
            hint="--provider design=stages builds such a design",
        )
    if not design.has_several:
        return
    several = len(design.configurations) > 1
    place = design.configurations[1].location if several else design.runs[1][1].location
    raise UserError(
        f"the design has several {'devices' if several else 'runtime sequences'}, and aiecc is asked for "
        "one kernel with one instruction stream at a time",
        place,
        hint="--provider design=stages builds such a design",
    )


def _check_buffers(context: Context, design: Design) -> None:
    """From July 2026 on MLIR-AIE passes more than five host buffers: its instructions mark those above five,
    and its aiecc describes them in the XCLBIN.
    """
    most = max(design.runs, key=lambda run: run[1].buffers)[1]
    if most.buffers <= LEAST_BUFFERS:
        return
    for chosen in context.providers.chosen:
        name = chosen.provider.name
        tool = context.toolchain.found(name)
        late = tool is not None and name == "aiecc" and tool.facts[:1] == ("declarative",)
        if name not in ("aiecc", "aie-translate") or chosen.stage not in ("design", "insts") or late:
            continue
        raise UserError(
            f"the runtime sequence takes {most.buffers} host buffers, and {name} {chosen.version} passes "
            f"{LEAST_BUFFERS} at most",
            most.location,
            hint=f"--provider {chosen.stage}={'stages' if chosen.stage == 'design' else 'embedded'}; or put "
            "several into one buffer, at different offsets",
        )


def _check_target(context: Context, design: Design) -> None:
    peano = context.toolchain.found("peano")
    target = DEVICES[design.device].architecture
    if context.providers.of("kernel").provider.name == OWN_COMPILER:
        if target != "aie2":
            raise UserError(
                f"{OWN_COMPILER} makes code for npu1 (AIE2) only, and {design.device} has {target} cores",
                design.device_location,
                hint="take Peano (--provider kernel=real), "
                "or --provider kernel=embedded for the emulated array",
            )
        return
    if peano and target not in peano.facts:
        raise ToolError(
            f"Peano {peano.version} ({peano.path}) has no target {target}, which {design.device} needs",
            design.device_location,
            hint="take a newer Peano, or --provider kernel=embedded for the emulated array",
        )
