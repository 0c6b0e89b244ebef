"""Places of logical tiles, by the rules of both generations that have them."""

from __future__ import annotations

import pytest

from npuninja.errors import UserError, Warnings
from npuninja.ir.parser import parse_module
from npuninja.lowering.generation import rules_of
from npuninja.lowering.resources.place_tiles import place_tiles
from npuninja.lowering.tiles import ops_of, place_of
from tests.lowering.lowered import lowered

OBJECTS = "!aie.objectfifo<memref<8xi32>>"


def places(
    body: str, generation: str, device: str = "npu2_4col", warnings: Warnings | None = None
) -> dict[str, str]:
    """`col,row` of each logical tile by its value's name; a lock of that name makes it known."""
    lines = []
    for line in body.splitlines():
        lines.append(line)
        if "logical_tile" in line:
            name = line.split("=")[0].strip().lstrip("%")
            lines.append(f'aie.lock(%{name}) {{init = 0 : i32, sym_name = "at_{name}"}}')
    text = f"module {{\n aie.device({device}) {{\n" + "\n".join(lines) + "\n }\n}\n"
    operation = parse_module(text, "design.mlir").body.ops[0]
    place_tiles(operation, rules_of(generation), warnings or Warnings())
    return {
        op.string("sym_name")[3:]: "{},{}".format(*place_of(op.operands[0]))
        for op in ops_of(operation, "aie.lock")
    }


def fifo(name: str, producer: str, *consumers: str) -> str:
    """An objectFifo of depth 2 between tiles."""
    ends = ", ".join(f"%{c}" for c in consumers)
    return f"aie.objectfifo @{name}(%{producer}, {{{ends}}}, 2 : i32) : {OBJECTS}"


def tiles(**kinds: str) -> str:
    """Logical tiles: `name="CoreTile ?, 3"`."""
    lines = []
    for name, text in kinds.items():
        kind, _, place = text.partition(" ")
        lines.append(f"%{name} = aie.logical_tile<{kind}>({place or '?, ?'})")
    return "\n".join(lines)


@pytest.mark.parametrize("generation", ["2026-02", "2026-08"])
def test_cores_fill_columns_from_below(generation: str) -> None:
    body = tiles(
        a="CoreTile", b="CoreTile 2, ?", c="CoreTile", d="CoreTile 0, 3", e="CoreTile", f="CoreTile ?, 5"
    )
    found = places(body, generation)
    # 2026-08 gives places to what has one coordinate before what has none.
    expected = {"b": "2,2", "d": "0,3", "a": "0,2", "c": "0,4"}
    expected |= {"e": "0,5", "f": "1,5"} if generation == "2026-02" else {"f": "0,5", "e": "1,2"}
    assert found == expected


def test_memtiles_and_shims_of_2026_02_share_until_channels_run_out() -> None:
    names = [f"w{i}" for i in range(6)]
    body = tiles(**dict.fromkeys(names, "CoreTile"), **{f"s{i}": "ShimNOCTile" for i in range(6)})
    body += "\n" + "\n".join(fifo(f"f{i}", f"s{i}", f"w{i}") for i in range(6))
    found = places(body, "2026-02")
    # Cores 0 to 3 are in column 0, 4 and 5 in column 1; groups come as 0, 2, 4, 5, 1, 3 by bucket (37 n mod
    # 64), and a shim has two channels out.
    order = sorted(range(6), key=lambda n: 37 * n % 64)
    used = [0, 0, 0, 0]
    expected = {}
    for i in order:
        column = 0 if i < 4 else 1
        while used[column] == 2:
            column += 1
        used[column] += 1
        expected[f"s{i}"] = f"{column},0"
    assert {name: place for name, place in found.items() if name[0] == "s"} == expected


def test_a_link_of_2026_02_goes_to_the_middle_of_its_cores() -> None:
    body = tiles(a="CoreTile 1, 2", b="CoreTile 3, 2", m="MemTile", s="ShimNOCTile", lone="MemTile")
    body += "\n" + "\n".join([fifo("in", "s", "m"), fifo("x", "m", "a"), fifo("y", "m", "b")])
    body += "\naie.objectfifo.link [@in] -> [@x, @y] ([] [0, 4])"
    assert places(body, "2026-02") == {"a": "1,2", "b": "3,2", "m": "2,1", "s": "2,0", "lone": "0,1"}


def test_a_core_with_more_partners_than_channels_gets_room_beside_it() -> None:
    body = tiles(a="CoreTile", b="CoreTile", c="CoreTile", hub="CoreTile", s="ShimNOCTile")
    body += "\n" + "\n".join(
        [fifo("p", "a", "hub"), fifo("q", "b", "hub"), fifo("r", "c", "hub"), fifo("o", "hub", "s")]
    )
    found = places(body, "2026-08")
    # Three inputs, two channels: one must share memory, so hub is where cores are above and below.
    assert found["hub"] == "0,3"
    assert {found["a"], found["b"], found["c"]} == {"0,2", "0,4", "0,5"}


def test_2026_08_spreads_shims_at_the_same_distance() -> None:
    body = tiles(a="CoreTile 1, 2", s="ShimNOCTile", t="ShimNOCTile", u="ShimNOCTile 1, ?")
    body += "\n" + "\n".join([fifo("x", "s", "a"), fifo("y", "a", "t"), fifo("z", "u", "a")])
    found = places(body, "2026-08")
    assert found == {"a": "1,2", "s": "1,0", "t": "1,0", "u": "1,0"}


def test_2026_08_warns_when_a_given_column_has_no_channels_left() -> None:
    body = tiles(
        a="CoreTile",
        b="CoreTile",
        c="CoreTile",
        s="ShimNOCTile 1, ?",
        t="ShimNOCTile 1, ?",
        u="ShimNOCTile 1, ?",
    )
    body += "\n" + "\n".join([fifo("x", "s", "a"), fifo("y", "t", "b"), fifo("z", "u", "c")])
    warnings = Warnings()
    found = places(body, "2026-08", warnings=warnings)
    assert [found[n] for n in "stu"] == ["1,0", "1,0", "0,0"]
    assert any("column 0 is taken instead" in message for message, _ in warnings.items)


@pytest.mark.parametrize("generation", ["2026-02", "2026-08"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("%t = aie.logical_tile<CoreTile>(0, 1)", "there is no CoreTile at column 0, row 1 of npu1_1col"),
        ("\n".join(["aie.logical_tile<CoreTile>(?, ?)"] * 5), "no core tile is left"),
        (
            tiles(a="CoreTile", s="ShimNOCTile")
            + "\n"
            + "\n".join(fifo(f"f{i}", "s", "a") for i in range(3)),
            "needs 3 input",
        ),
        (
            "%a = aie.tile(0, 2)\n%b = aie.logical_tile<CoreTile>(?, ?)\n"
            "aie.core(%a) { aie.end }\naie.core(%b) { aie.end }",
            "two cores are placed on tile",
        ),
    ],
)
def test_logical_tiles_without_a_place(body: str, message: str, generation: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        lowered(body, generation=generation)
    assert caught.value.location is not None


def test_a_cascade_leads_down_or_to_the_right() -> None:
    body = tiles(a="CoreTile", b="CoreTile", c="CoreTile")
    body += "\naie.cascade_flow(%a, %b)\naie.cascade_flow(%b, %c)"
    found = places(body, "2026-08")
    assert found == {"a": "0,2", "b": "1,2", "c": "2,2"}
