"""Instructions against measurements on a Phoenix NPU (points.tsv, one case a line): the runtime gives the same bytes."""

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
#: Rows whose result depends on a register that the measurement does not name: the reason.
UNNAMED = {
    "SELEQZ": "r27 is not given", "SELNEZ": "r27 is not given", "DIVS": "r31 is not given",
    "VINSERT_8": "r29 is not given", "VINSERT_16": "r29 is not given", "VINSERT_32": "r29 is not given",
    "VINSERT_64": "r29 is not given", "VBCSTSHFL_8": "r29 is not given", "VBCSTSHFL_16": "r29 is not given",
    "VBCSTSHFL_32": "r29 is not given", "VBCSTSHFL_64": "r29 is not given",
}  # fmt: skip
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


def measured(core: CoreRuntime, point: Point) -> list[str]:
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
    if name in UNNAMED:
        pytest.skip(f"{len(rows)} rows: {UNNAMED[name]}")
    wrong = {}
    for point in rows:
        store = wasmtime.Store(runtime[0])
        core = CoreRuntime(store, runtime[1])
        found = measured(core, point)
        if found:
            wrong[point.line] = (point.text, point.before, found)
    assert not wrong


def test_points_are_all_there() -> None:
    assert len(points()) == 599
