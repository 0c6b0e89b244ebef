"""One thing that doctor looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rung:
    """What was found, and what follows.

    Attributes:
        name: what was looked at.
        verdict: "ok", "warn" (works, with a remark), "unknown" (could not be asked), "fail" (building needs
            it) or "absent" (only hardware, or a real tool's stage, needs it).
        found: what was seen.
        fix: what to do, or "".
    """

    name: str
    verdict: str
    found: str
    fix: str = ""

    @property
    def broken(self) -> bool:
        """Whether the rungs above it cannot hold."""
        return self.verdict in ("fail", "absent")
