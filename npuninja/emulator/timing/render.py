"""A modelled time as text: the figures of one or more clocks, and the arithmetic behind them."""

from __future__ import annotations

from collections.abc import Sequence

from npuninja.emulator.timing.band import Band
from npuninja.emulator.timing.model import LABEL, ModelReport, Term
from npuninja.emulator.timing.stages import many, show

_ENDS = ("optimistic", "middle", "pessimistic")


def render(name: str, reports: Sequence[ModelReport]) -> str:
    """Text without a final newline.

    Args:
        name: of the design.
        reports: of the same run at different clocks, one or more.
    """
    first = reports[0]
    run = many(first.elements, first.unit)
    lines = [f"{name} on {first.work.family}, {run} in a run; all times {LABEL}, not measured", ""]
    lines.append(_row(f"us ({LABEL})", list(_ENDS)))
    for report in reports:
        clock = f"{report.clock_hz / 1e9:.4g} GHz"
        lines.append(_row(f"run at {clock}", _times(report.run_us)))
        lines.append(_row(f"  per {report.unit}", _times(report.element_us)))
        lines.append(_row(f"  per {report.unit}, pipeline alone", _times(report.pipeline_element_us)))
    for report in reports:
        lines += ["", *_arithmetic(report)]
    return "\n".join(lines)


def _arithmetic(report: ModelReport) -> list[str]:
    lines = [f"at {report.clock_hz / 1e9:.4g} GHz, optimistic/middle/pessimistic:"]
    lines += [_term(term) for term in (*report.terms, report.pipeline)]
    lines.append("stages (cycles in the run):")
    for stage in report.stages:
        lines.append(f"  {stage.name}: {show(stage.cycles)}: {stage.arithmetic}")
        lines += [f"    {part.name}: {show(part.cycles)} = {part.arithmetic}" for part in stage.actors]
    return lines


def _term(term: Term) -> str:
    return f"  {term.name}: {show(term.us)} us: {term.arithmetic}"


def _times(band: Band) -> list[str]:
    return [f"{value:.2f}" for value in band]


def _row(name: str, cells: list[str]) -> str:
    return f"{name:36}" + "".join(f"{cell:>14}" for cell in cells)
