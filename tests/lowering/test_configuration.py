"""The array's configuration: byte for byte the reference's CDOs and PDIs, and what these do not cover."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import pytest
from conftest import positive_designs
from hypothesis import given
from hypothesis import strategies as st

from npuninja.diag.descriptor_text import descriptor_fields
from npuninja.errors import UserError
from npuninja.formats.cdo import BlockWrite, Command, MaskWrite, Nop, Write, read_cdo
from npuninja.formats.core_image import CoreImage, DataSegment, make_stub, read_core_image
from npuninja.formats.pdi import write_pdi
from npuninja.ir.attributes import PacketInfoAttr
from npuninja.ir.core import Operation
from npuninja.ir.parser import parse_module
from npuninja.lowering.configuration.bd import BufferDescriptor, LockFields, descriptor_words
from npuninja.lowering.number_operands import numbers_from_values
from npuninja.lowering.pipeline import configuration

CASES = sorted(path for design in positive_designs() for path in design.glob("*cdo_init.bin"))


def parsed(path: Path) -> Operation:
    module = parse_module(path.read_text(), str(path))
    numbers_from_values(module)  # as every stage that reads a module
    return module


def images_of(folder: Path, prefix: str) -> dict[tuple[int, int], CoreImage]:
    device = json.loads((folder / "meta.json").read_text())["device"]
    architecture = "aie2p" if device.startswith("npu2") else "aie2"
    images = {}
    for path in folder.glob(f"{prefix}core_*.elf"):
        column, row = re.findall(r"core_(\d+)_(\d+)", path.name)[0]
        images[int(column), int(row)] = read_core_image(path.read_bytes(), architecture, path.name)
    return images


@pytest.mark.parametrize("init", CASES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_equals_the_reference(init: Path) -> None:
    prefix = init.name[: -len("cdo_init.bin")]
    module = parsed(init.parent / "input_physical.mlir")
    made = configuration(module, prefix[:-1], images_of(init.parent, prefix))
    for kind, data in made._asdict().items():
        assert data == (init.parent / f"{prefix}cdo_{kind}.bin").read_bytes(), kind
    assert write_pdi(made) == (init.parent / f"{prefix}main.pdi").read_bytes()


def design(body: str, device: str = "npu1_2col") -> Operation:
    return parse_module(f"module {{\n  aie.device({device}) {{\n{body}\n  }}\n}}\n", "design.mlir")


def commands(data: bytes) -> list[Command]:
    return [c for c in read_cdo(data) if not isinstance(c, Nop)]


def init_commands(body: str, device: str = "npu1_2col") -> list[Command]:
    return commands(configuration(design(body, device), "", {}).init)


CORE = "    %t = aie.tile(0, 2)\n    %c = aie.core(%t) {\n      aie.end\n    }\n"


def test_wasm_core_gets_its_stub_and_stays_in_reset() -> None:
    stub = make_stub(1024, b"module")
    segments = (DataSegment(0x70800, b"abcdef", 6), DataSegment(0x70810, b"", 8))
    made = configuration(
        design(CORE), "", {(0, 2): CoreImage("wasm", ((0, stub),), segments, False, b"module")}
    )
    loads = [c for c in commands(made.elfs) if isinstance(c, BlockWrite)]
    assert loads == [
        BlockWrite(0x220000, stub),
        BlockWrite(0x200800, b"abcd"),
        BlockWrite(0x200810, bytes(8)),
    ]
    assert MaskWrite(0x200804, 0x0000FFFF, 0x6665) in commands(made.elfs)
    controls = [c for c in commands(made.init) if c.address == 0x232000]
    assert controls == [MaskWrite(0x232000, 2, 2)]
    assert commands(made.enable) == []


def test_aie_core_leaves_reset_and_is_enabled() -> None:
    made = configuration(design(CORE), "", {(0, 2): CoreImage("aie", ((0, bytes(4)),), (), True)})
    assert [c for c in commands(made.init) if c.address == 0x232000] == [
        MaskWrite(0x232000, 2, 2),
        MaskWrite(0x232000, 2, 0),
    ]
    assert commands(made.enable) == [MaskWrite(0x232000, 1, 1)]


def test_data_goes_to_the_tiles_that_the_core_sees() -> None:
    body = CORE.replace("(0, 2)", "(1, 3)")
    segments = (
        DataSegment(0x40010, b"sout", 4),
        DataSegment(0x5FFFE, b"westnort", 8),  # across the border of two windows
    )
    made = configuration(design(body), "", {(1, 3): CoreImage("aie", (), segments, True)})
    writes = [c for c in commands(made.elfs) if (c.address & 0xFFFFF) < 0x10000]  # type: ignore[union-attr]
    assert writes == [
        BlockWrite(0x2200010, b"sout"),
        MaskWrite(0x30FFFC, 0xFFFF0000, 0x65770000),
        BlockWrite(0x2400000, b"stno"),
        MaskWrite(0x2400004, 0x0000FFFF, 0x7472),
    ]


def test_data_without_memory_behind_it_is_refused() -> None:
    image = CoreImage("aie", (), (DataSegment(0x50000, b"west", 4),), True)
    with pytest.raises(UserError, match=r"tile \(0, 2\) has data at 0x50000, where it has no memory"):
        configuration(design(CORE), "", {(0, 2): image})


def test_missing_program_is_refused() -> None:
    with pytest.raises(UserError, match=r"core of tile \(0, 2\) has no program") as raised:
        configuration(design(CORE), "", {})
    assert str(raised.value.location) == "design.mlir:4:10"


def test_program_without_a_core_is_refused() -> None:
    image = CoreImage("aie", ((0, bytes(4)),), (), True)
    with pytest.raises(UserError, match=r"program for tile \(0, 3\), which has no core"):
        configuration(design(CORE), "", {(0, 2): image, (0, 3): image})


@pytest.mark.parametrize(
    ("type", "value", "expected"),
    [
        ("memref<3xi8>", "[1, -2, 127]", bytes([1, 254, 127])),
        ("memref<2xi16>", "[-1, 258]", b"\xff\xff\x02\x01"),
        ("memref<2xui8>", "255", b"\xff\xff"),
        ("memref<2xi1>", "[true, false]", b"\1\0"),
        ("memref<1xi64>", "[-2]", struct.pack("<q", -2)),
        ("memref<2x2xi32>", "[[1, 2], [3, 4]]", struct.pack("<4i", 1, 2, 3, 4)),
        ("memref<2xf32>", "[1.5, -0.1]", struct.pack("<2f", 1.5, -0.1)),
        ("memref<1xf32>", "0x7FC00000", b"\0\0\xc0\x7f"),
        ("memref<2xf16>", "[1.0, 1.0e+10]", b"\0\x3c\0\x7c"),
        ("memref<1xf64>", "3.0", struct.pack("<d", 3)),
        # 1 + 2^-8 lies between two bf16 values and goes to the even one; a little more goes up.
        ("memref<4xbf16>", "[1.0, 1.00390625, 1.00390625001, -2.0]", b"\x80\x3f\x80\x3f\x81\x3f\x00\xc0"),
        ("memref<2xbf16>", "[3.4e+38, 3.3e+38]", b"\x80\x7f\x78\x7f"),
    ],
)
def test_initial_values(type: str, value: str, expected: bytes) -> None:
    body = (
        f"    %t = aie.tile(0, 2)\n    %b = aie.buffer(%t) {{address = 64 : i32}} : {type} = dense<{value}>"
    )
    memory = bytearray(len(expected) + 4)
    for command in init_commands(body):
        if isinstance(command, BlockWrite):
            at = command.address - 0x200040
            memory[at : at + len(command.data)] = command.data
        elif isinstance(command, MaskWrite):
            at = command.address - 0x200040
            old = int.from_bytes(memory[at : at + 4], "little")
            memory[at : at + 4] = (old & ~command.mask | command.value & command.mask).to_bytes(4, "little")
    assert memory == expected + bytes(4)


def dma(row: int, descriptor: str, *, locks: str = "", attributes: str = "", start: str = "MM2S, 0") -> str:
    """A DMA program of one channel with one descriptor on tile (0, row)."""
    region = ("shim_dma", "memtile_dma", "mem")[min(row, 2)]
    return f"""    %t = aie.tile(0, {row})
    %n = aie.tile(1, {row})
    %b = aie.buffer(%t) {{address = 256 : i32}} : memref<256xi16>
    %nb = aie.buffer(%n) {{address = 256 : i32}} : memref<256xi16>
    %x = aie.external_buffer {{sym_name = "x"}} : memref<256xi16>
    %l = aie.lock(%t, 3)
    %nl = aie.lock(%n, 5)
    %d = aie.{region}(%t) {{
      %0 = aie.dma_start({start}, ^bb1, ^bb2)
    ^bb1:
      {locks}
      aie.dma_bd({descriptor}) {{bd_id = 2 : i32{attributes}}}
      aie.next_bd ^bb2
    ^bb2:
      aie.end
    }}"""


def words_of(data: list[Command]) -> tuple[int, ...]:
    """The words of the only descriptor."""
    (block,) = [c for c in data if isinstance(c, BlockWrite)]
    return struct.unpack(f"<{len(block.data) // 4}I", block.data)


def test_core_descriptor_fields() -> None:
    locks = "aie.use_lock(%l, Acquire, 2)\n      aie.use_lock(%l, Release, 5)"
    dims = "[<size = 3, stride = 32>, <size = 4, stride = 8>, <size = 8, stride = 1>]"
    body = dma(2, f"%b : memref<256xi16>, 16, 96, {dims}", locks=locks, attributes=", next_bd_id = 7 : i32")
    assert words_of(init_commands(body)) == (
        (256 + 32) // 4 << 14 | 48,
        0,
        3 << 13,
        4 << 21 | 4 << 13 | 15,
        0,
        7 << 27 | 1 << 26 | 1 << 25 | 5 << 18 | 3 << 13 | 1 << 12 | 2 << 5 | 3,
    )


def test_elements_below_a_word_that_follow_each_other_are_one_run_of_words() -> None:
    dims = "<size = 8, stride = 12>, <size = 12, stride = 1>, <size = 1, stride = 1>"
    data = init_commands(dma(2, f"%b : memref<256xi16>, 0, 96, [{dims}]"))
    descriptor = descriptor_fields("core", words_of(data))
    assert descriptor is not None
    assert descriptor["length_bytes"] == 192
    assert descriptor["dimensions"][0] == {"size": 0, "step_bytes": 4}  # which never ends


def test_packet_fields() -> None:
    packet = ", packet = #aie.packet_info<pkt_type = 3, pkt_id = 17>"
    words = words_of(init_commands(dma(2, "%b : memref<256xi16>, 0, 96", attributes=packet)))
    assert words[1] == 1 << 30 | 17 << 19 | 3 << 16
    words = words_of(init_commands(dma(1, "%b : memref<256xi16>, 0, 96", attributes=packet)))
    assert words[0] == 1 << 31 | 3 << 28 | 17 << 23 | 48
    words = words_of(init_commands(dma(0, "%x : memref<256xi16>, 0, 96", attributes=packet)))
    assert words[2] == 1 << 30 | 17 << 19 | 3 << 16


def test_memtile_reaches_its_neighbour() -> None:
    locks = "aie.use_lock(%l, AcquireGreaterEqual, 1)\n      aie.use_lock(%nl, Release, 1)"
    words = words_of(init_commands(dma(1, "%nb : memref<256xi16>, 0, 96", locks=locks)))
    assert words[1] == (0x100000 + 256) // 4
    # Each lock is numbered in the window of its own tile.
    assert words[7] == 1 << 31 | 1 << 24 | (128 + 5) << 16 | 1 << 15 | 0x7F << 8 | 64 + 3


def test_padding_fields() -> None:
    dims = "[<size = 2, stride = 64>, <size = 3, stride = 8>, <size = 4, stride = 1>]"
    pads = "[<const_pad_before = 1, const_pad_after = 2>, <const_pad_before = 3, const_pad_after = 4>,"
    pads += " <const_pad_before = 6, const_pad_after = 8>]"
    words = words_of(init_commands(dma(1, f"%b : memref<256xi16>, 0, 24, {dims}, {pads}")))
    assert [words[1] >> 26, words[3] >> 27, words[4] >> 27 & 0xF] == [3, 3, 1]
    assert [words[5] >> 17 & 0x3F, words[5] >> 23 & 0x1F, words[5] >> 28] == [4, 4, 2]


PADDED = (
    "%b : memref<256xi16>, 0, 24, [<size = 4, stride = 1>], [<const_pad_before = 2, "
    "const_pad_after = 2>], pad_value = 7"
)


def test_pad_value_is_a_register_of_the_channel_on_npu2() -> None:
    assert Write(0x1A06E8, 7) in init_commands(dma(1, PADDED, start="MM2S, 2"), "npu2_2col")


def test_pad_value_needs_npu2() -> None:
    with pytest.raises(UserError, match="pad_value 7 needs an npu2 device"):
        init_commands(dma(1, PADDED))


def test_queue_and_token() -> None:
    made = init_commands(dma(0, "%x : memref<256xi16>, 0, 96", start="S2MM, 1"))
    assert made[-2:] == [Write(0x1D20C, 0x80000002), MaskWrite(0x1D208, 0, 1)]
    made = init_commands(
        dma(1, "%b : memref<256xi16>, 0, 96").replace("^bb1, ^bb2)", "^bb1, ^bb2, repeat_count = 9)")
    )
    assert made[-2:] == [Write(0x1A0634, 9 << 16 | 2), MaskWrite(0x1A0630, 0, 1)]


def test_blocks_are_configured_depth_first() -> None:
    body = """    %t = aie.tile(0, 2)
    %b = aie.buffer(%t) {address = 0 : i32} : memref<4xi32>
    %m = aie.mem(%t) {
      %0 = aie.dma_start(S2MM, 0, ^bb1, ^bb3)
    ^bb1:
      aie.dma_bd(%b : memref<4xi32>, 0, 4) {bd_id = 0 : i32}
      aie.next_bd ^bb2
    ^bb2:
      aie.dma_bd(%b : memref<4xi32>, 0, 4) {bd_id = 1 : i32}
      aie.next_bd ^bb1
    ^bb3:
      %1 = aie.dma_start(MM2S, 0, ^bb4, ^bb5)
    ^bb4:
      aie.dma_bd(%b : memref<4xi32>, 0, 4) {bd_id = 2 : i32}
      aie.next_bd ^bb4
    ^bb5:
      aie.end
    ^bb6:
      aie.dma_bd(%b : memref<4xi32>, 0, 4) {bd_id = 3 : i32}
      aie.next_bd ^bb6
    }"""
    order = [(c.address - 0x21D000) // 0x20 for c in init_commands(body) if isinstance(c, BlockWrite)]
    assert order == [0, 2, 1]


@st.composite
def descriptors(draw: st.DrawFn, kind: str) -> BufferDescriptor:
    """Any descriptor that fits the registers of a tile kind."""
    step_bits, wrap, wraps = {"core": (13, 255, 2), "mem": (17, 1023, 3), "shim": (20, 1023, 2)}[kind]
    steps = draw(st.lists(st.integers(1, 1 << step_bits), min_size=4, max_size=4))
    if kind != "mem":
        steps[3] = 1
    pads = [draw(st.tuples(st.integers(0, n), st.integers(0, n))) for n in (63, 31, 15)]
    return BufferDescriptor(
        4 * draw(st.integers(0, {"core": 1 << 14, "mem": 3 << 17, "shim": 1 << 46}[kind] - 1)),
        draw(st.integers(0, (1 << {"core": 14, "mem": 17, "shim": 32}[kind]) - 1)),
        steps=steps,
        wraps=[draw(st.integers(0, wrap)) if i < wraps else 0 for i in range(4)],
        pads=pads if kind == "mem" else [(0, 0)] * 3,
        packet=draw(st.none() | st.builds(PacketInfoAttr, st.integers(0, 7), st.integers(0, 31))),
        next_bd=draw(st.none() | st.integers(0, 47 if kind == "mem" else 15)),
        locks=LockFields(
            1,
            draw(st.integers(-64, 63)),
            draw(st.integers(0, 191 if kind == "mem" else 15)),
            draw(st.integers(-64, 63)),
            draw(st.integers(0, 191 if kind == "mem" else 15)),
        ),
        burst=draw(st.integers(0, 3)) if kind == "shim" else 0,
    )


@given(st.data(), st.sampled_from(["core", "mem", "shim"]))
def test_descriptor_words_say_what_was_meant(data: st.DataObject, kind: str) -> None:
    descriptor = data.draw(descriptors(kind))
    fields = descriptor_fields(kind, descriptor_words(descriptor, kind, Operation("aie.dma_bd")))
    assert fields is not None
    assert (fields["address"], fields["length_bytes"]) == (
        descriptor.address_bytes,
        4 * descriptor.length_words,
    )
    dims = [(d["size"], d["step_bytes"] // 4) for d in fields["dimensions"]]
    expected = list(zip(descriptor.wraps, descriptor.steps))
    assert dims == expected[: len(dims)]
    assert all(rest == (0, 1) for rest in expected[len(dims) :])
    pads = [(p["before"], p["after"]) for p in fields.get("padding", [])] or [(0, 0)] * 3
    assert pads == descriptor.pads
    packet = fields.get("packet")
    assert descriptor.packet == (PacketInfoAttr(packet["type"], packet["id"]) if packet else None)
    assert fields.get("next") == descriptor.next_bd
    locks = descriptor.locks
    acquired = fields["acquire"]
    assert acquired["lock"] == locks.acquire_id
    assert (-acquired["value"] if acquired["greater_equal"] else acquired["value"]) == locks.acquire_value
    released = fields.get("release", {"lock": locks.release_id, "value": 0})
    assert (released["lock"], released["value"]) == (locks.release_id, locks.release_value)
    assert fields["valid"]


SWITCH = "    %t = aie.tile(0, {row})\n    %s = aie.{kind}(%t) {{\n{body}\n    }}"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (dma(2, "%b : memref<256xi16>, 1, 96"), "address is 258 bytes, expected a multiple of 4"),
        (dma(2, "%b : memref<256xi16>, 0, 95"), "length is 190 bytes, expected a multiple of 4"),
        (
            dma(2, "%b : memref<256xi16>, 0, 96, [<size = 3, stride = 1>]"),
            "not a whole number of 32-bit words",
        ),
        (
            dma(2, "%b : memref<256xi16>, 0, 96, [<size = 3, stride = 3>, <size = 2, stride = 1>]"),
            "not a whole number",
        ),
        (
            dma(2, "%b : memref<256xi16>, 0, 96, [<size = 96, stride = 2>, <size = 1, stride = 1>]"),
            "not a whole number",  # every other element
        ),
        (
            dma(2, "%b : memref<256xi16>, 0, 96, [<size = 300, stride = 2>, <size = 2, stride = 1>]"),
            "is 300, limit 255",
        ),
        (
            dma(2, "%nb : memref<256xi16>, 0, 96"),
            r"DMA of tile \(0, 2\) cannot reach a buffer of tile \(1, 2\)",
        ),
        (dma(2, "%b : memref<256xi16>, 0, 96", locks="aie.use_lock(%nl, Release, 1)"), "cannot reach a lock"),
        (
            dma(2, "%b : memref<256xi16>, 0, 96", locks="aie.use_lock(%l, Release, 64)"),
            "value 64 is not in -64 … 63",
        ),
        (
            dma(0, "%x : memref<256xi16>, 0, 96", attributes=", burst_length = 100 : i32"),
            "burst length 100 bytes",
        ),
        (
            SWITCH.format(row=2, kind="switchbox", body="aie.connect<North : 9, DMA : 0>"),
            "no input North : 9",
        ),
        (SWITCH.format(row=2, kind="switchbox", body="aie.connect<North : 0, DMA : 2>"), "no output DMA : 2"),
        (SWITCH.format(row=0, kind="shim_mux", body="aie.connect<DMA : 0, North : 4>"), "no port North : 4"),
    ],
)
def test_impossible_designs_are_refused(body: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as raised:
        init_commands(body)
    assert raised.value.location is not None
    assert raised.value.location.line > 1


def test_unknown_device_is_refused() -> None:
    with pytest.raises(UserError, match="no device @other"):
        configuration(design(CORE), "other", {})
