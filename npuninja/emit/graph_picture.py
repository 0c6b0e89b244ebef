"""The graph as a picture (SVG): a frame for each design, with a box for each kind of stage, left to right.

Stages of one kind are one box (`core_cc`, 16 times), and what several designs use is in the frame of
each, so that no line leaves a frame.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from npuninja.records import NamedTuple

Edges = Sequence[Mapping[str, Any]]

_BOX_WIDTH, _BOX_HEIGHT, _GAP_X, _GAP_Y, _MARGIN, _TITLE = 148, 34, 44, 12, 16, 26
_LONGEST_LABEL = 22
_STYLE = """\
text{font:12px system-ui,sans-serif;fill:#1c2733}.name{font-weight:600;font-size:15px}.what{fill:#5a6773;font-size:11px}
.frame{fill:#f7f9fb;stroke:#c5d0da}.stage{fill:#fff;stroke:#3d6fa5}.source{fill:#fdf6e3;stroke:#b8a76a}
path{fill:none;stroke:#9aa9b7}path:hover,.stage:hover{stroke-width:2.5}
@media (prefers-color-scheme:dark){svg{background:#14191e}text{fill:#e2e8ee}.what{fill:#9aa9b7}.frame{fill:#1b2229;stroke:#3a4652}
.stage{fill:#232c35}.source{fill:#2c2a1e}}"""


class Box(NamedTuple):
    """Stages of one kind, or a file that somebody wrote.

    Attributes:
        key: what tells it from others of its frame.
        title: the kind, or the file's name.
        files: what the stages make, or the file's path.
        needs: keys of the boxes it is made from.
        is_source: whether it is a file that no stage makes.
    """

    key: str
    title: str
    files: tuple[str, ...]
    needs: tuple[str, ...]
    is_source: bool


def needed_edges(edges: Edges, target: str) -> list[Mapping[str, Any]]:
    """The edges that a target is made by; none when nothing makes it."""
    made_by = {output: edge for edge in edges for output in edge["outputs"]}
    seen: set[str] = set()
    pending = [target] if target in made_by else []
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            edge = made_by.get(name)
            pending += [*edge["inputs"], *edge["implicit"]] if edge else []
    return [edge for edge in edges if seen.intersection(edge["outputs"])]


def boxes_of(edges: Edges) -> list[Box]:
    """The boxes of one frame, in the order of the graph. Aliases and what makes no file are left out."""
    made = [edge for edge in edges if edge["rule"] != "phony" and "." in edge["outputs"][0]]
    maker = {output: edge["rule"] for edge in made for output in edge["outputs"]}
    outputs: dict[str, list[str]] = {}
    needs: dict[str, dict[str, None]] = {}
    sources: dict[str, None] = {}
    for edge in made:
        rule = edge["rule"]
        outputs.setdefault(rule, []).append(edge["outputs"][0])
        wanted = needs.setdefault(rule, {})
        for path in (*edge["inputs"], *edge["implicit"]):
            if path in maker:
                wanted.update({maker[path]: None} if maker[path] != rule else {})
            elif path in edge["inputs"]:
                sources[path] = wanted[path] = None
    found = [Box(path, os.path.basename(path), (path,), (), True) for path in sources]
    for rule, files in outputs.items():
        times = f" \u00d7 {len(files)}" if len(files) > 1 else ""
        found.append(Box(rule, rule + times, tuple(files), tuple(needs[rule]), False))
    return found


def columns_of(boxes: Sequence[Box]) -> list[list[Box]]:
    """The boxes from left to right: each to the right of all that it needs."""
    at = {box.key: 0 for box in boxes}
    for _ in boxes:  # a longest path has fewer steps than there are boxes
        for box in boxes:
            at[box.key] = max([at[box.key], *(min(at[need] + 1, len(boxes)) for need in box.needs)])
    used = sorted(set(at.values()))
    columns: list[list[Box]] = [[] for _ in used]
    row: dict[str, float] = {}
    for box in sorted(boxes, key=lambda b: at[b.key]):
        columns[used.index(at[box.key])].append(box)
    for column in columns:  # near to what they need, so that few lines cross
        column.sort(key=lambda b: sum(row.get(n, 0) for n in b.needs) / max(len(b.needs), 1))
        row.update({box.key: float(place) for place, box in enumerate(column)})
    return columns


def svg(edges: Edges, designs: Iterable[str]) -> str:
    """The picture of some designs, one below the other."""
    frames, y, width = [], float(_MARGIN), 0
    for design in designs:
        columns = columns_of(boxes_of(needed_edges(edges, design)))
        height = _TITLE + max((len(c) for c in columns), default=0) * (_BOX_HEIGHT + _GAP_Y) + _GAP_Y
        frame_width = len(columns) * (_BOX_WIDTH + _GAP_X) + _GAP_X
        frames.append(
            f'<g transform="translate({_MARGIN} {y:g})"><rect class="frame" width="{frame_width}" '
            f'height="{height}" rx="6"/><text class="name" x="{_GAP_X // 2}" '
            f'y="20">{escape(design)}</text>{_frame(columns)}</g>'
        )
        y, width = y + height + _MARGIN, max(width, frame_width)
    size = f"{width + 2 * _MARGIN} {y:g}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{width + 2 * _MARGIN}" '
        f'height="{y:g}">'
        f"<style>{_STYLE}</style>\n" + "\n".join(frames) + "\n</svg>\n"
    )


def _frame(columns: Sequence[Sequence[Box]]) -> str:
    place = {
        box.key: (_GAP_X / 2 + x * (_BOX_WIDTH + _GAP_X), _TITLE + _GAP_Y + y * (_BOX_HEIGHT + _GAP_Y))
        for x, column in enumerate(columns)
        for y, box in enumerate(column)
    }
    lines, shapes = [], []
    for box in (box for column in columns for box in column):
        x, y = place[box.key]
        for need in box.needs:
            from_x, from_y = place[need][0] + _BOX_WIDTH, place[need][1] + _BOX_HEIGHT / 2
            bend = max((x - from_x) / 2, _GAP_X / 2)
            lines.append(
                f'<path d="M{from_x:g} {from_y:g}C{from_x + bend:g} {from_y:g} {x - bend:g} '
                f'{y + _BOX_HEIGHT / 2:g} {x:g} {y + _BOX_HEIGHT / 2:g}"><title>{escape(need)} → '
                f"{escape(box.key)}</title></path>"
            )
        kind, what = ("source", os.path.dirname(box.files[0])) if box.is_source else ("stage", "")
        what = what or os.path.basename(box.files[0])
        shapes.append(
            f"<g><title>{escape(chr(10).join(box.files))}</title>"
            f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="4"/>'
            f'<text x="{x + 8:g}" y="{y + 14:g}">{escape(_short(box.title))}</text>'
            f'<text class="what" x="{x + 8:g}" y="{y + 28:g}">{escape(_short(what))}</text></g>'
        )
    return "".join((*lines, *shapes))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"
