"""Which generation of the dialect a design is lowered as, what decided that, and its driver's defaults."""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.lowering.generation import RULES, choose
from npuninja.plan.design import Design
from npuninja.plan.driver_flags import LoweringFlags, read_driver_flags
from npuninja.plan.providers import Providers


def dialect_of(design: Design, providers: Providers) -> tuple[str, str]:
    """The generation, and the reason; "" for the reason where the design's own text says it.

    Tools of MLIR-AIE read and write one generation, so theirs counts when any of them is used; then what the
    text says; then toolchain.toml; then the oldest in which the text reads.
    """
    if providers.spelling is not None:
        tool = next((c for c in providers.chosen if any(t.startswith("aie") for t in c.provider.tools)), None)
        by = f"{tool.name} {tool.version}" if tool else "the tool"
        return providers.spelling.generation, f"it is what {by} reads"
    chosen = _own(design)
    if design.days:
        since, before = design.days
        return (
            chosen,
            f"only releases from {since} to before {before} read its spellings, "
            f"and the rules are those of {chosen}",
        )
    if design.generations == (chosen,):
        return chosen, ""
    alike = (
        f"the text reads alike in {' and '.join(design.generations)}"
        if design.generations
        else "the text mixes two"
    )
    if design.generation not in ("", "auto"):
        return chosen, f"{alike}, and toolchain.toml says so"
    return (
        chosen,
        f"{alike}, and the oldest is taken; "
        "generation in toolchain.toml or MLIR-AIE's own tools decide otherwise",
    )


def lowering_flags(design: Design, providers: Providers) -> LoweringFlags:
    """The design's flags of MLIR-AIE's driver; where they say nothing, the default of its generation."""
    flags = read_driver_flags(design.aiecc_flags)
    if not flags.dynamic_fifos and RULES[dialect_of(design, providers)[0]].driver_keeps_fifo_loops:
        return flags._replace(dynamic_fifos="true")
    return flags


def _own(design: Design) -> str:
    """As what the embedded lowering takes a design."""
    return choose(design.generations) if design.generation in ("", "auto") else design.generation


def check_places(design: Design, providers: Providers) -> None:
    """Raises UserError when tiles were placed by the rule of one generation and the tools have another's."""
    if providers.spelling is None or not design.logical_tiles:
        return
    placed, used = _own(design), providers.spelling.generation
    if RULES[placed].places_by_demand != RULES[used].places_by_demand:
        raise UserError(
            f"the design leaves places of tiles open: they were given as {placed} gives them, "
            f"and the tools that are used are of {used}",
            design.device_location,
            hint=f'say generation = "{used}" in toolchain.toml, or use the embedded lowering',
        )
