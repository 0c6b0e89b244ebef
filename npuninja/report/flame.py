"""Flame graphs of cores: SVG without a script; a box is a function or a loop, as wide as its cycles."""

from __future__ import annotations

import html
from collections.abc import Sequence

from npuninja.machine_code.profile import ProfiledFrame
from npuninja.records import NamedTuple

WIDTH, ROW = 960, 18
_TEXT_PX = 6.6  # of a letter at 11 px
_COLOURS = ("#e4b064", "#e08a5b", "#d9b44a", "#c98b6b", "#e6c27a")
_LOOP_COLOUR = "#8fb8d8"
#: Narrower boxes are left out.
_LEAST_PX = 0.4


class _FlameBox(NamedTuple):
    frame: ProfiledFrame
    left: float
    depth: int
    width: float


def flame_svg(frames: Sequence[ProfiledFrame], title: str) -> str:
    """A flame graph, callers on top.

    Args:
        frames: the roots of the tree.
        title: of the picture, for readers of screens.
    """
    total = sum(frame.issue_cycles for frame in frames)
    boxes: list[_FlameBox] = []
    left = 0.0
    for frame in frames:
        left += _place(boxes, frame, left, 0, WIDTH / max(total, 1))
    height = ROW * (1 + max((box.depth for box in boxes), default=0))
    body = "".join(_drawn(box, total) for box in boxes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} '
        f'{height}" role="img" aria-label="{html.escape(title)}" font-family="ui-monospace, monospace" '
        f'font-size="11">{body}</svg>'
    )


def _place(boxes: list[_FlameBox], frame: ProfiledFrame, left: float, depth: int, scale: float) -> float:
    width = frame.issue_cycles * scale
    if width < _LEAST_PX:
        return width
    boxes.append(_FlameBox(frame, left, depth, width))
    at = left
    for inner in frame.below:
        at += _place(boxes, inner, at, depth + 1, scale)
    return width


def _drawn(box: _FlameBox, total: float) -> str:
    frame = box.frame
    is_loop = frame.name.startswith(("loop ", "branch loop "))
    colour = _LOOP_COLOUR if is_loop else _COLOURS[sum(frame.name.encode()) % len(_COLOURS)]
    says = (
        f"{frame.name}: {frame.issue_cycles:,.0f} issue cycles, "
        f"{100 * frame.issue_cycles / max(total, 1):.1f} %, {frame.own_cycles:,.0f} of its own"
    )
    room = int((box.width - 6) / _TEXT_PX)
    text = frame.name if len(frame.name) <= room else f"{frame.name[: max(room - 1, 0)]}…"
    y = box.depth * ROW
    label = (
        f'<text x="{box.left + 3:.1f}" y="{y + 13}" fill="#1b1f24">{html.escape(text)}</text>'
        if room > 2
        else ""
    )
    return (
        f'<g><title>{html.escape(says)}</title><rect x="{box.left:.2f}" y="{y}" '
        f'width="{max(box.width - 0.5, 0.3):.2f}" height="{ROW - 1}" fill="{colour}"/>{label}</g>'
    )
