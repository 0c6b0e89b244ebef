"""A plugin of pytest: how many tests were skipped and why, in one line above pytest's closing line."""

from __future__ import annotations

from collections.abc import Generator

import pytest


# The outermost of all: pytest writes its short summary of failures when the others have returned.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None]:
    """Writes the line."""
    yield
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ").split("\n")[0]
        reasons[reason] = reasons.get(reason, 0) + 1
    if reasons:
        why = "; ".join(f"{count} times: {reason}" for reason, count in _joined(reasons))
        terminalreporter.write_line(f"skipped: {sum(reasons.values())} ({why})")


def _joined(reasons: dict[str, int]) -> list[tuple[str, int]]:
    """Reasons that differ in their last word only (what is missing) as one; the frequent first."""
    starts = [reason.rpartition(" ")[0] for reason in reasons]
    joined: dict[str, int] = {}
    for reason, count in reasons.items():
        start = reason.rpartition(" ")[0]
        key = f"{start} …" if starts.count(start) > 1 else reason
        joined[key] = joined.get(key, 0) + count
    return sorted(joined.items(), key=lambda entry: (-entry[1], entry[0]))
