"""What a run of a design gave, for people and for programs."""

from __future__ import annotations

from typing import Any

from npuninja.device.api import Capabilities
from npuninja.device.manifest import Manifest
from npuninja.device.output_comparison import OutputComparison
from npuninja.device.run_options import CHECKED
from npuninja.device.timing import Timing
from npuninja.errors import Error
from npuninja.records import NamedTuple


class RunOutcome(NamedTuple):
    """What a run gave. `comparisons` is None without --verify."""

    manifest: Manifest
    capabilities: Capabilities
    reason: str
    inputs_from: str
    comparisons: tuple[OutputComparison, ...] | None
    timing: Timing
    in_flight: int
    way: str
    remarks: list[str]
    report: dict[str, Any] | None
    checks: list[str]
    findings: list[Error]

    @property
    def wrong(self) -> list[OutputComparison]:
        """The outputs that differ from the reference."""
        return [c for c in self.comparisons or () if not c.good]

    def fields(self) -> dict[str, Any]:
        """The outcome for --json."""
        return {
            "design": self.manifest.design,
            "build_id": self.manifest.build_id,
            "device": self.capabilities.name,
            "reason": self.reason,
            "inputs": self.inputs_from,
            "verified": None if self.comparisons is None else not self.wrong,
            "outputs": [c.fields() for c in self.comparisons or ()],
            "times": self.timing.fields(),
            "in_flight": {"runs": self.in_flight, "way": self.way},
            "remarks": self.remarks,
            "report": self.report,
            "checks": self.checks,
            "findings": [error_fields(finding) for finding in self.findings],
        }

    def render(self, brief: bool = False) -> str:
        """The outcome for people, after the lines that were printed before the run."""
        lines = [finding.render() for finding in self.findings]
        if self.checks and not self.findings:
            lines.append(f"checked for {' and '.join(map(CHECKED.__getitem__, self.checks))}: nothing found")
        lines += [c.render() for c in self.comparisons or ()]
        if self.comparisons is None:
            missing = f"there is no host/{self.manifest.design}.py"
            why = "--verify was not given" if self.manifest.reference else missing
            lines.append(f"not verified: nothing was compared, since {why}")
        elif not self.comparisons:
            lines.append("not verified: the design has no output")
        lines += [f"warning: {remark}" for remark in self.remarks]
        if self.in_flight > 1:
            lines.append(
                f"{self.in_flight} runs at once ({self.way}); times are those of all, "
                f"divided by {self.in_flight}"
            )
        return "\n".join([*lines, self.timing.render(self.manifest.moved_bytes, brief)])


def error_fields(error: Error) -> dict[str, Any]:
    """An error for --json."""
    return {
        "status": "error",
        "exit_code": error.exit_code,
        "message": error.message,
        "location": str(error.location) if error.location else None,
        "hint": error.hint,
        "notes": [f"{location}: {text}" if location else text for text, location in error.notes],
        "report": getattr(error, "report", None),
    }
