"""Instructions against measurements on a Phoenix NPU (points.tsv, a case a line): the bytes are the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
import wasmtime

from npuninja.machine_code.core_runtime import STEP_FAULT, STEP_LIMIT, CoreRuntime, load_runtime
from npuninja.machine_code.encode import assemble_bundle
from npuninja.machine_code.registers import place_of

POINTS = Path(__file__).with_name("points.tsv")
ACCUMULATOR = re.compile(r"s(\d+)\.([sd])(\d+)\(([0-9a-f]+)~#(-?\d+)\)")
#: Instructions that depend on a register which the measurement does not name, with its possible values: one
#: of them must give what was measured.
UNNAMED: dict[str, tuple[str, tuple[int, ...]]] = {
    **dict.fromkeys(("SELEQZ", "SELNEZ"), ("r27", (0, 1))),
    "DIVS": ("r31", (0, 1 << 31)),
    **{f"VINSERT_{bits}": ("r29", tuple(range(512 // bits))) for bits in (8, 16, 32, 64)},
    **dict.fromkeys((f"VBCSTSHFL_{bits}" for bits in (8, 16, 32, 64)), ("r29", tuple(range(48)))),
}
#: Rows that the runtime refuses, by line: the reason.
REFUSED = {462: "shuffle mode 55 is not one of the 48 that are known"}


class Point(NamedTuple):
    line: int
    name: str
    text: str
    before: str
    after: str


def points() -> list[Point]:
    rows = []
    for number, line in enumerate(POINTS.read_text().splitlines(), 1):
        if not line.startswith("#"):
            rows.append(Point(number, *line.split("\t")))
    return rows


@pytest.fixture(scope="module")
def runtime() -> tuple[wasmtime.Engine, wasmtime.Module]:
    engine = wasmtime.Engine()
    return engine, load_runtime(engine)


def value_of(core: CoreRuntime, name: str, text: str) -> None:
    made = ACCUMULATOR.fullmatch(text)
    if made is not None:  # filled by the vups of that kind
        bits, sign, lane, data = int(made[1]), made[2], int(made[3]) // 8, bytes.fromhex(made[4])
        lanes = [data[i : i + lane] for i in range(0, len(data), lane)]
        out = b"".join(
            int.from_bytes(item, "little", signed=sign == "s").to_bytes(
                bits // 8, "little", signed=sign == "s"
            )
            for item in lanes
        )
        core.write(place_of(name), out)
    elif text.startswith("#"):
        core.set_register(name, int(text[1:]))
    elif len(text) <= 8:
        core.set_register(name, int.from_bytes(bytes.fromhex(text), "little"))
    else:
        core.write(place_of(name), bytes.fromhex(text))


def measured(core: CoreRuntime, point: Point, unnamed: tuple[str, int] | None = None) -> list[str]:
    if unnamed is not None:
        core.set_register(*unnamed)
    for item in point.before.split():
        name, text = item.split("=", 1)
        value_of(core, name, text)
    bundles = [assemble_bundle(point.text, 0)]
    while len(bundles) < 12:
        bundles.append(assemble_bundle("nop", bundles[-1].end))
    core.load(bundles)
    core.set_limit(12)
    if point.line in REFUSED:
        assert core.run() == STEP_FAULT
        return []
    assert core.run() == STEP_LIMIT, (point, core.fault())
    wrong = []
    for item in point.after.split():
        name, text = item.split("=", 1)
        got = core.read(place_of(name))[: len(text) // 2].hex()
        if got != text:
            wrong.append(f"{name}={got}, measured {text}")
    return wrong


@pytest.mark.parametrize("name", sorted({p.name for p in points()}))
def test_measured_points(name: str, runtime: tuple[wasmtime.Engine, wasmtime.Module]) -> None:
    rows = [p for p in points() if p.name == name]
    register, values = UNNAMED.get(name, ("", ()))
    wrong = {}
    for point in rows:
        tries: list[list[str]] = []
        for value in values or (None,):
            core = CoreRuntime(wasmtime.Store(runtime[0]), runtime[1])
            tries.append(measured(core, point, None if value is None else (register, value)))
            if not tries[-1]:
                break
        if tries[-1]:
            wrong[point.line] = (point.text, point.before, tries)
    assert not wrong


def test_points_are_all_there() -> None:
    assert len(points()) == 599
