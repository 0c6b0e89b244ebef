"""Device models, register map, switch tables against facts of hardware manuals and real configurations."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from npuninja.arch import devices, registers, switch
from npuninja.arch.families import FAMILIES, Family
from npuninja.emulator import layout
from npuninja.errors import UserError

ROOT = Path(__file__).parents[2]


# Of every family: its device, columns, cores, generation in insts.bin, columns where a partition may start.
FACTS = [
    ("npu1", 4, "aie2", 3, (0,)),
    ("npu1_1col", 1, "aie2", 3, (1, 2, 3, 4)),
    ("npu1_3col", 3, "aie2", 3, (1, 2)),
    ("npu2", 8, "aie2p", 4, (0,)),
    ("npu2_4col", 4, "aie2p", 4, (1,)),
    ("npu2_7col", 7, "aie2p", 4, (0, 1)),
]


@pytest.mark.parametrize(("name", "columns", "architecture", "generation", "starts"), FACTS)
def test_devices(
    name: str, columns: int, architecture: str, generation: int, starts: tuple[int, ...]
) -> None:
    found = devices.device(name)
    assert (found.columns, found.architecture, found.txn_generation) == (columns, architecture, generation)
    assert found.start_columns == starts
    assert found.triple == f"{architecture}-none-unknown-elf"


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_a_family_fits_in_the_array_that_is_emulated(family: Family) -> None:
    room = (layout.ROWS_PER_COLUMN, layout.MOST_COLUMNS)
    size = (family.rows.number, family.columns)
    assert size[0] <= room[0], (
        f"{family.name} has {size[0]} rows, the array room for {room[0]}: CONTRIBUTING.md"
    )
    assert size[1] <= room[1], f"{family.name} has {size[1]} columns, the array room for {room[1]}"


@pytest.mark.parametrize("model", devices.DEVICES.values(), ids=devices.DEVICES)
def test_a_partition_fits_where_it_may_start(model: devices.DeviceModel) -> None:
    assert all(0 <= start <= model.physical_columns - model.columns for start in model.start_columns)


def test_facts_of_every_family_are_here() -> None:
    assert {devices.device(name).family.name for name, *_ in FACTS} == set(FAMILIES)


def test_no_module_knows_rows_by_their_numbers() -> None:
    """But row 0, where the shim tiles are by definition; the engine numbers tiles by its constants."""
    python = re.compile(r"(?<!len\()\brow\)? (==|!=|<=?|>=?) [1-9]|\brow in \(\d")
    engine = re.compile(r"\b8 \* \(?(column|c|address)\b|\btile\b (>> 3|& 7|[-+] 8)\b")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for suffix, pattern in (("py", python), ("[ch]", engine))
        for path in sorted((ROOT / "npuninja").rglob(f"*.{suffix}"))
        if "kernel_headers" not in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


def test_device_list_is_complete() -> None:
    assert len(devices.DEVICES) == sum(family.columns for family in FAMILIES.values())
    assert "npu1_4col" not in devices.DEVICES
    with pytest.raises(UserError) as caught:
        devices.device("npu0")
    assert "npu2_7col" in caught.value.render()


@pytest.mark.parametrize(
    ("name", "place", "expected"),
    [
        ("npu1", (0, 2), {"north": (0, 3), "own": (0, 2)}),
        ("npu1", (1, 3), {"south": (1, 2), "west": (0, 3), "north": (1, 4), "own": (1, 3)}),
        ("npu1", (0, 5), {"south": (0, 4), "own": (0, 5)}),
        ("npu1_2col", (1, 1), {"west": (0, 1), "own": (1, 1)}),
        ("npu1_2col", (0, 1), {"own": (0, 1), "east": (1, 1)}),
        ("npu1", (2, 0), {"own": (2, 0)}),
    ],
)
def test_memory_neighbours(
    name: str, place: devices.TilePlace, expected: dict[str, devices.TilePlace]
) -> None:
    device = devices.device(name)
    assert devices.memory_neighbours(device, place) == expected
    assert all(devices.memory_window(device, place, other) == window for window, other in expected.items())
    assert devices.memory_window(device, place, (3, 5)) is None


def test_memtile_bds_are_split_by_parity() -> None:
    assert [bd for bd in range(48) if devices.bd_reachable("mem", 2, bd)] == list(range(24))
    assert [bd for bd in range(60) if devices.bd_reachable("mem", 5, bd)] == list(range(24, 48))
    assert devices.bd_reachable("core", 1, 15)
    assert not devices.bd_reachable("shim", 0, 16)


def test_addresses() -> None:
    # From a real configuration: core tile BD 0, North1 <- South3, slot of TileControl in column 0.
    assert registers.tile_address(0, 2, registers.bd_offset("core", 0)) == 0x21D000
    assert registers.switch_master("shim", switch.master_index("shim", "North", 1)) == 0x3F034
    assert registers.switch_slot("shim", switch.slave_index("shim", "TileControl", 0), 0) == 0x3F200
    assert registers.channel_queue("shim", "MM2S", 1) == 0x1D21C
    assert registers.channel_control("mem", "MM2S", 5) == 0xA0658
    assert registers.channel_status("mem", "S2MM", 5) == 0xA0674
    assert registers.lock_value("mem", 63) == 0xC03F0
    assert registers.split_address(registers.tile_address(7, 5, 0xFFF20)) == (7, 5, 0xFFF20)
    assert registers.register("aie2", "shim", "Tile_Control") == 0x36030
    assert registers.register("aie2p", "shim", "Tile_Control") == 0xFFF40


def test_port_numbers() -> None:
    assert {kind: len(ports) for kind, ports in switch.MASTERS.items()} == {"core": 23, "mem": 17, "shim": 22}
    assert {kind: len(ports) for kind, ports in switch.SLAVES.items()} == {"core": 25, "mem": 18, "shim": 23}
    assert switch.slave_index("core", "Trace", 1) == 24
    assert switch.slave_index("shim", "South", 3) == 5
    assert switch.master_index("core", "East", 3) == 22
    with pytest.raises(KeyError):
        switch.master_index("mem", "East", 0)


def test_channels_between_switches_match() -> None:
    for kind, upper in (("shim", "mem"), ("mem", "core"), ("core", "core")):
        assert switch.MASTER_COUNTS[kind]["North"] == switch.SLAVE_COUNTS[upper]["South"]
        assert switch.MASTER_COUNTS[upper]["South"] == switch.SLAVE_COUNTS[kind]["North"]


@pytest.mark.parametrize(
    ("kind", "source", "dest", "legal"),
    [
        ("core", ("DMA", 0), ("DMA", 0), True),
        ("core", ("DMA", 0), ("DMA", 1), False),
        ("core", ("Core", 0), ("Core", 0), False),
        ("core", ("South", 5), ("South", 3), False),
        ("core", ("South", 1), ("South", 1), True),
        ("core", ("TileControl", 0), ("DMA", 0), False),
        ("core", ("Trace", 1), ("DMA", 0), True),
        ("core", ("Trace", 1), ("DMA", 1), False),
        ("core", ("Trace", 0), ("North", 0), False),
        ("mem", ("South", 2), ("North", 2), True),
        ("mem", ("South", 2), ("North", 3), False),
        ("mem", ("South", 2), ("DMA", 5), True),
        ("mem", ("Trace", 0), ("DMA", 5), True),
        ("mem", ("Trace", 0), ("North", 0), False),
        ("mem", ("DMA", 0), ("DMA", 1), False),
        ("mem", ("TileControl", 0), ("DMA", 4), False),
        ("shim", ("South", 3), ("South", 0), True),
        ("shim", ("North", 1), ("North", 2), False),
        ("shim", ("Trace", 0), ("West", 0), True),
        ("shim", ("Trace", 0), ("West", 1), False),
        ("shim", ("DMA", 0), ("North", 5), True),
        ("shim", ("North", 0), ("DMA", 1), True),
        ("shim", ("North", 0), ("DMA", 2), False),
        ("mem", ("East", 0), ("DMA", 0), False),
    ],
)
def test_legal_connections(
    kind: str, source: switch.SwitchPort, dest: switch.SwitchPort, legal: bool
) -> None:
    assert switch.legal_connection(kind, source, dest) is legal


def test_stage_processes_import_nothing_heavy() -> None:
    code = (
        "import sys; import npuninja.arch.devices, npuninja.arch.registers, npuninja.arch.switch;"
        "print([m for m in ('dataclasses', 'pathlib', 'argparse', 'numpy') if m in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-S", "-E", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert shown.stdout.strip() == "[]"
