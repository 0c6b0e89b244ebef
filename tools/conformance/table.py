"""The table that `npuninja conformance` prints, as text and as Markdown."""

from __future__ import annotations

from typing import NamedTuple

ARTEFACTS = ("addresses", "physical", "insts.mlir", "insts.bin", "ldscript", "cdo", "pdi")

_MARKDOWN_HEAD = """\
# Conformance

What the embedded lowering makes of each design, against the results of MLIR-AIE's own tools: `=` equal, `x`
different, `!` refused, `-` there is none. MLIR is compared by meaning, everything else byte for byte. The
columns are `input_with_addresses.mlir`, `input_physical.mlir`, `npu_insts.mlir`, `insts.bin`, the linker
scripts, the three CDO files and the PDI. Made by `npuninja conformance tests/conformance --markdown`; a test
sees to it that this page is current.
"""


class DesignOutcome(NamedTuple):
    """The result of one design: a mark for each artefact, what differs, why it was refused if it had to."""

    design: str
    marks: dict[str, str]
    differences: list[str]
    refusal: str

    @property
    def good(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def report(outcomes: list[DesignOutcome], refusals: list[DesignOutcome], verbose: bool) -> str:
    """The table, and the differences when `verbose`."""
    lines = []
    width = max(len(outcome.design) for outcome in (*outcomes, *refusals))
    if outcomes:
        lines.append("  ".join(["design".ljust(width), *ARTEFACTS]))
    for outcome in outcomes:
        cells = [outcome.marks.get(artefact, "!").center(len(artefact)) for artefact in ARTEFACTS]
        lines.append("  ".join([outcome.design.ljust(width), *cells]).rstrip())
        lines += [f"    {line}" for line in outcome.differences] if verbose else []
    for outcome in refusals:
        lines.append(f"{outcome.design.ljust(width)}  {'refused, as it must be' if outcome.good else 'x'}")
        lines += [f"    {line}" for line in outcome.differences] if verbose else []
    for artefact in ARTEFACTS if outcomes else ():
        lines.append(f"{artefact}: {_equal(outcomes, artefact)} equal")
    if refusals:
        lines.append(f"refused: {sum(outcome.good for outcome in refusals)} of {len(refusals)}")
    return "\n".join(lines) + "\n"


def markdown(outcomes: list[DesignOutcome], refusals: list[DesignOutcome]) -> str:
    """The page docs/conformance.md: the table, the sums, the designs that are refused, with their errors."""
    lines = [_MARKDOWN_HEAD]
    if outcomes:
        lines += [f"| design | {' | '.join(ARTEFACTS)} |", "|---" * (1 + len(ARTEFACTS)) + "|"]
        for outcome in outcomes:
            cells = " | ".join(f"`{outcome.marks.get(artefact, '!')}`" for artefact in ARTEFACTS)
            lines.append(f"| {outcome.design} | {cells} |")
        sums = [_equal(outcomes, artefact) for artefact in ARTEFACTS]
        lines += [f"| **equal** | {' | '.join(sums)} |", ""]
    if refusals:
        lines += [
            "The reference tools reject these designs. So does the embedded lowering, with this message.",
            "",
        ]
        lines += ["| design | refused with |", "|---|---|"]
        for outcome in refusals:
            said = outcome.refusal if outcome.good else "**" + "; ".join(outcome.differences) + "**"
            lines.append(f"| {outcome.design} | {said.replace('|', chr(92) + '|')} |")
        lines += [f"| **refused** | {sum(outcome.good for outcome in refusals)} of {len(refusals)} |", ""]
    return "\n".join(lines)


def _equal(outcomes: list[DesignOutcome], artefact: str) -> str:
    made = [mark for outcome in outcomes if (mark := outcome.marks.get(artefact, "!")) != "-"]
    return f"{made.count('=')} of {len(made)}"
