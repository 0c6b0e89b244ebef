"""Core images from ELF and wasm: one shape for both, the stub, and the checks of the core ABI."""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

import pytest
from damage import damaged, reads_or_refuses
from hypothesis import given
from hypothesis import strategies as st

from npuninja.errors import UserError
from npuninja.file_kinds import WASM_MAGIC
from npuninja.formats.core_image import DataSegment, Stub, read_core_image, read_stub
from npuninja.formats.elf import write_core_elf
from npuninja.formats.wasm_module import append_custom_section, read_wasm, unsigned_leb128

INFO: dict[str, Any] = {
    "abi": 1,
    "column": 0,
    "row": 2,
    "entry": "core_0_2",
    "stack_bytes": 1024,
    "data_end": 0x70920,
    "waits": [[1, "design.mlir", 12, 7, "of_in_cons_lock_0"]],
    "buffers": [["of_in_buff_0", 0x70400, 1024], ["neighbour", 0x50000, 64]],
    "neighbours": ["west"],
}


def wasm_section(number: int, body: bytes) -> bytes:
    return bytes([number]) + unsigned_leb128(len(body)) + body


def signed_leb128(value: int) -> bytes:
    """A 32-bit address as the operand of i32.const."""
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        if value == 0 and not byte & 0x40:
            return bytes([*out, byte])
        out.append(byte | 0x80)


def name(text: str) -> bytes:
    return unsigned_leb128(len(text)) + text.encode()


def core_module(
    info: dict[str, Any] | None = INFO,
    *,
    pages: int = 8,
    segments: tuple[tuple[int, bytes], ...] = (),
    entry: str = "core_0_2",
) -> bytes:
    """A module with the exports of a core, without code that could run."""
    data = b"".join(b"\0\x41" + signed_leb128(a) + b"\x0b" + unsigned_leb128(len(d)) + d for a, d in segments)
    module = (
        WASM_MAGIC
        + wasm_section(2, b"\1" + name("env") + name("sinf") + b"\0\0")
        + wasm_section(5, b"\1\1" + unsigned_leb128(pages) + unsigned_leb128(pages))
        + wasm_section(
            7, b"\3" + name("memory") + b"\2\0" + name("__stack_pointer") + b"\3\0" + name(entry) + b"\0\1"
        )
        + wasm_section(11, unsigned_leb128(len(segments)) + data)
    )
    return (
        module if info is None else append_custom_section(module, "npuninja.core", json.dumps(info).encode())
    )


def test_wasm_module_is_decoded() -> None:
    module = read_wasm(core_module(segments=((0x70800, b"abcd"),)), "core.wasm")
    assert module.memory_pages == (8, 8)
    assert [(i.module, i.name, i.kind) for i in module.imports] == [("env", "sinf", "function")]
    assert [(e.name, e.kind) for e in module.exports] == [
        ("memory", "memory"),
        ("__stack_pointer", "global"),
        ("core_0_2", "function"),
    ]
    assert [(s.address, s.data) for s in module.segments] == [(0x70800, b"abcd")]
    assert module.custom_section("name") is None


@given(
    st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), max_size=300), st.binary(max_size=300)
)
def test_custom_section_survives(title: str, content: bytes) -> None:
    module = append_custom_section(WASM_MAGIC, title, content)
    assert read_wasm(module, "x.wasm").custom_section(title) == content


def test_wasm_image() -> None:
    data = core_module(segments=((0x70800, b"abcd"), (0x70810, b"ef")))
    image = read_core_image(data, "aie2", "core.wasm")
    assert (image.kind, image.run, image.module) == ("wasm", False, data)
    ((offset, stub),) = image.program
    digest = hashlib.sha256(data).digest()
    assert offset == 0
    assert struct.unpack("<16I", stub) == (
        0x4E55504E,
        0x4D534157,
        1,
        1024,
        *struct.unpack("<8I", digest),
        0,
        0,
        0,
        0,
    )
    assert read_stub(stub) == Stub(1024, digest)
    # .bss follows the last data segment and is written as zeros.
    assert image.data == (
        DataSegment(0x70800, b"abcd", 4),
        DataSegment(0x70810, b"ef", 2),
        DataSegment(0x70812, b"", 0x10E),
    )
    assert image.info is not None
    assert image.info.waits[0].lock == "of_in_cons_lock_0"
    assert image.info.neighbours == ("west",)


def test_bss_alone_starts_behind_the_own_buffers() -> None:
    image = read_core_image(core_module(), "aie2", "core.wasm")
    assert image.data == (DataSegment(0x70800, b"", 0x120),)


def test_no_stub_in_other_programs() -> None:
    assert read_stub(b"\0" * 64) is None
    assert read_stub(b"NPUNWASM") is None


def test_aie_image() -> None:
    image = read_core_image(
        write_core_elf([(0, b"\1" * 62, 62), (0x70400, b"\2" * 16, 32)], 3), "aie2p", "core.elf"
    )
    assert (image.kind, image.run) == ("aie", True)
    assert image.program == ((0, b"\1" * 62 + b"\0\0"),)
    assert image.data == (DataSegment(0x70400, b"\2" * 16, 32),)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (core_module(None), "no section 'npuninja.core'"),
        (core_module({**INFO, "abi": 2}), "ABI version 2, expected 1"),
        (core_module({**INFO, "waits": [[1]]}), "section 'npuninja.core' is wrong"),
        (core_module({**INFO, "neighbours": ["up"]}), "section 'npuninja.core' is wrong"),
        (core_module({**INFO, "column": "0"}), "section 'npuninja.core' is wrong"),
        (core_module({k: v for k, v in INFO.items() if k != "entry"}), "section 'npuninja.core' is wrong"),
        (core_module({**INFO, "data_end": 0x80004}), "its memory ends at 0x80000"),
        (core_module(pages=4), "262144 to 262144 bytes of memory, expected exactly 524288"),
        (core_module(entry="main"), "does not export the function 'core_0_2'"),
        (core_module(segments=((0x60000, b"x"),)), "data at 0x60000 to 0x60001, outside its own memory"),
        (core_module()[:-3], "ends too early"),
        (b"\0asm\2\0\0\0", "not a wasm module"),
    ],
)
def test_wrong_images_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_core_image(data, "aie2", "core.wasm")


@given(damaged([core_module(segments=((0x70800, b"abcd"),))]))
def test_damage_never_crashes(data: bytes) -> None:
    reads_or_refuses(lambda d: read_core_image(d, "aie2", "file"), data)
