"""Times of several runs, and what they may be taken for."""

from __future__ import annotations

from typing import Any

from npuninja.device.api import Capabilities
from npuninja.records import NamedTuple


class Timing(NamedTuple):
    """Times of runs in seconds. `first_s`, the warm-up, is not among `runs_s`."""

    label: str
    """"measured" (of an NPU) or "emulated" (of the emulation on this machine, not of any NPU)."""
    first_s: float
    runs_s: tuple[float, ...]

    def render(self, moved_bytes: int, brief: bool = False) -> str:
        """One or two lines for people.

        Args:
            moved_bytes: what goes in and out in one run.
            brief: whether to leave out what every emulated run says.
        """
        lines = [f"first run: {_time(self.first_s)} {self.label}"]
        if self.runs_s:
            median = _median(self.runs_s)
            rate = f", {moved_bytes / median / 1e9:.3g} GB/s in and out" if median > 0 else ""
            lines.append(
                f"{len(self.runs_s)} runs after it: min {_time(min(self.runs_s))}, median {_time(median)}, "
                f"max {_time(max(self.runs_s))} {self.label}{rate}"
            )
        if self.label == "emulated" and not brief:
            lines.append(
                "emulated times are those of the emulation on this machine and tell nothing about an NPU"
            )
        return "\n".join(lines)

    def fields(self) -> dict[str, Any]:
        """The times as fields for `--json`."""
        fields: dict[str, Any] = {"label": self.label, "first_s": self.first_s, "runs": len(self.runs_s)}
        if self.runs_s:
            fields.update(min_s=min(self.runs_s), median_s=_median(self.runs_s), max_s=max(self.runs_s))
        return fields


def timing_of(capabilities: Capabilities, times_s: list[float]) -> Timing:
    """The first time apart, the rest after it."""
    return Timing(capabilities.timing, times_s[0], tuple(times_s[1:]))


def _median(values: tuple[float, ...]) -> float:
    import statistics  # 10 ms, and a single run has no median

    return statistics.median(values)


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.3f} s"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.3f} ms"
    return f"{seconds * 1e6:.1f} us"
