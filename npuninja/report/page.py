"""The HTML of reports: drawings in SVG, text by Jinja2 templates (`pages/`)."""

from __future__ import annotations

import math
import os
from typing import Any

from npuninja.device.issue_profile import CoreProfile, ProfiledRun
from npuninja.errors import ToolError
from npuninja.records import NamedTuple
from npuninja.report.design_facts import DesignFacts, UsedTile
from npuninja.report.flame import flame_svg
from npuninja.report.lanes import lanes_json, lanes_of
from npuninja.report.routes import DrawnRoute
from npuninja.report.run_facts import Roofline, RunFacts

TILE_W, TILE_H, GAP, MARGIN = 200, 120, 44, 40
#: Colours that can be told apart, also without seeing red and green.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f3c8d", "#666666")
BAR_W = 640


class PageLine(NamedTuple):
    """A route as it is drawn."""

    points: str
    colour: str
    says: str
    packet: bool


def design_page(
    facts: DesignFacts, run: RunFacts | str | None = None, profile: ProfiledRun | str | None = None
) -> str:
    """The page of a design.

    Args:
        facts: of the design.
        run: a run of it, or the reason why there is none; None: nothing is said of one.
        profile: where issue cycles of machine-code cores went, or why that is not known; None: no such cores.
    """
    width = 2 * MARGIN + facts.columns * (TILE_W + GAP) - GAP
    height = 2 * MARGIN + facts.rows * (TILE_H + GAP) - GAP
    return _template("report.html.jinja").render(  # type: ignore[no-any-return]
        facts=facts,
        width=width,
        height=height,
        tiles=[(tile, *_corner(tile.place, facts.rows)) for tile in facts.tiles],
        empty=[
            _corner((c, r), facts.rows)
            for c in range(facts.columns)
            for r in range(facts.rows)
            if (c, r) not in {t.place for t in facts.tiles}
        ],
        lines=[
            line for number, route in enumerate(facts.routes) for line in _lines(number, route, facts.rows)
        ],
        TILE_W=TILE_W,
        TILE_H=TILE_H,
        legend=[
            (COLOURS[i % len(COLOURS)], _says(route), route.packet) for i, route in enumerate(facts.routes)
        ],
        memory=[(tile, _bars(tile)) for tile in facts.tiles if tile.memory_bytes],
        BAR_W=BAR_W,
        providers=facts.manifest.get("providers", {}),
        run=run,
        timeline=_timeline(facts, run) if isinstance(run, RunFacts) else "",
        profile=profile,
        flames=[_flame(core) for core in profile.cores] if isinstance(profile, ProfiledRun) else [],
        roofline=_roofline(run.roofline) if isinstance(run, RunFacts) else "",
    )


def _timeline(facts: DesignFacts, run: RunFacts) -> str:
    return lanes_json(lanes_of(run.timeline, run.work, facts.locks), run.timeline.cycles)


def _flame(core: CoreProfile) -> str:
    return flame_svg(core.profile.frames, f"issue cycles of core ({core.column}, {core.row})")


def index_page(designs: list[DesignFacts]) -> str:
    """The page that names all designs."""
    return _template("index.html.jinja").render(designs=designs)  # type: ignore[no-any-return]


def _template(name: str) -> Any:
    try:
        import jinja2
    except ImportError as error:
        raise ToolError("the Python package jinja2 is missing", hint="pip install jinja2") from error
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pages")
    loader = jinja2.FileSystemLoader(folder)
    return jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True
    ).get_template(name)


def _corner(place: tuple[int, int], rows: int) -> tuple[int, int]:
    """Left and top of a tile: row 0 is at the bottom."""
    column, row = place
    return MARGIN + column * (TILE_W + GAP), MARGIN + (rows - 1 - row) * (TILE_H + GAP)


def _says(route: DrawnRoute) -> str:
    kind = "packets" if route.packet else "stream"
    return f"{kind} from {route.source} to {', '.join(map(str, route.ends))}"


def _lines(number: int, route: DrawnRoute, rows: int) -> list[PageLine]:
    """The ways of one stream; each stream runs a little beside the others."""
    shift = (number % 9 - 4) * 5
    found = []
    for way in route.ways:
        corners = [_corner(place, rows) for place in way]
        # On the right, where no text is.
        points = [(x + TILE_W - 32 + shift, y + TILE_H - 14 + shift / 2) for x, y in corners]
        if len(points) == 1:
            points.append((points[0][0] + 14, points[0][1]))
        text = " ".join(f"{x:g},{y:g}" for x, y in points)
        found.append(PageLine(text, COLOURS[number % len(COLOURS)], _says(route), route.packet))
    return found


def _bars(tile: UsedTile) -> list[tuple[float, float, str, str]]:
    """The pieces of a tile's memory as bars: left, width, kind, text."""
    scale = BAR_W / tile.memory_bytes
    return [
        (piece.start * scale, max(piece.nbytes * scale, 1.0), piece.kind, piece.says) for piece in tile.pieces
    ]


def _roofline(facts: Roofline) -> str:
    """The roofline as SVG: instructions in a cycle over instructions for each byte, both logarithmic."""
    ridge = facts.cores / facts.bytes_per_cycle
    xs = [math.log10(max(v, 1e-6)) for v in (facts.intensity, ridge)]
    ys = [math.log10(max(v, 1e-6)) for v in (facts.rate, facts.cores)]
    left, right = math.floor(min(xs) - 0.5), math.ceil(max(xs) + 0.5)
    low, high = math.floor(min(ys) - 0.5), math.ceil(max(ys) + 0.2)

    def at(x: float, y: float) -> tuple[float, float]:
        return 60 + 420 * (x - left) / (right - left), 200 - 180 * (y - low) / (high - low)

    roof = math.log10(facts.cores)
    start_y = max(left + math.log10(facts.bytes_per_cycle), low)
    start_x = start_y - math.log10(facts.bytes_per_cycle)
    points = [at(start_x, start_y), at(xs[1], roof), at(right, roof)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    px, py = at(xs[0], ys[0])
    marks = [
        f'<text x="{at(x, low)[0]:.1f}" y="216" text-anchor="middle">{10.0**x:g}</text>'
        for x in range(left, right + 1)
    ]
    marks += [
        f'<text x="54" y="{at(left, y)[1] + 4:.1f}" text-anchor="end">{10.0**y:g}</text>'
        for y in range(low, high + 1)
    ]
    return (
        '<svg id="roofline" width="520" height="240" viewBox="0 0 520 240" role="img" aria-label="roofline">'
        '<rect x="60" y="20" width="420" height="180" fill="none" stroke="#d0d7de"/>'
        f'<polyline points="{line}" fill="none" stroke="#57606a" stroke-width="2"/>{"".join(marks)}'
        f'<circle cx="{px:.1f}" cy="{py:.1f}" r="6" fill="#d55e00"/>'
        '<text x="270" y="234" text-anchor="middle">instructions for each byte of host memory '
        '(modelled)</text><text x="64" y="14">instructions in a cycle (modelled)</text></svg>'
    )
