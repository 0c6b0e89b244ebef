"""A module that can be left in its middle computes what it computes when nothing ever waits."""

from __future__ import annotations

import os
import random
import struct
import subprocess
from pathlib import Path

import pytest
import wasmtime
import ziglang

from npuninja.emulator.core_modules.operand_types import SIGNATURES
from npuninja.emulator.core_modules.suspension import make_suspendable
from npuninja.file_kinds import WASM_MAGIC
from npuninja.formats.wasm_code import SIMD
from npuninja.formats.wasm_module import read_wasm, unsigned_leb128

ZIG = os.path.join(os.path.dirname(ziglang.__file__), "zig")
SOURCE = Path(__file__).parent / "suspended.c"
KEPT = (1, 2, 3, 4, 5, 6, 7, 9, 10)
I32, I64 = wasmtime.ValType.i32(), wasmtime.ValType.i64()
SUSPENDED = 6 << 24


@pytest.fixture(scope="module", params=["-O0", "-O2", "-Os"])
def module(request, tmp_path_factory) -> bytes:
    folder = tmp_path_factory.mktemp("suspended")
    compiled, linked = folder / "core.o", folder / "core.wasm"
    command = [ZIG, "clang", "--target=wasm32-freestanding", request.param, "-msimd128", "-mbulk-memory"]
    subprocess.run([*command, "-c", str(SOURCE), "-o", str(compiled)], check=True)
    link = [
        ZIG,
        "wasm-ld",
        "--no-entry",
        "--export=core_0_2",
        "--allow-undefined",
        "--strip-all",
        "--stack-first",
    ]
    link += [
        "--global-base=458752",
        "--initial-memory=524288",
        "--max-memory=524288",
        "-z",
        "stack-size=65536",
    ]
    subprocess.run([*link, str(compiled), "-o", str(linked)], check=True)
    return linked.read_bytes()


class Host:
    """Serves both kinds of imports: those that wait, and the engine's, which say "not now" every so often."""

    def __init__(self, seed: int = 0, share: float = 0.0) -> None:
        self.random = random.Random(seed)
        self.share = share
        self.words = 0
        self.halves = 0
        self.sent: list[object] = []
        self.transfer = [0] * 8

    def word(self) -> int:
        self.words += 1
        return (self.words * 2654435761 >> 7) & 0xFFFF

    def last(self) -> int:
        return self.words % 5 == 0

    def half(self) -> int:
        self.halves += 1
        return struct.unpack("<q", struct.pack("<Q", self.halves * 0x9E3779B97F4A7C15 & (1 << 64) - 1))[0]

    def not_now(self) -> bool:
        return self.random.random() < self.share


def plain(module: bytes) -> list[object]:
    """What the module sends when its imports wait themselves."""
    host, store = Host(), wasmtime.Store()
    compiled = wasmtime.Module(store.engine, module)

    def get_cascade(at: int) -> None:
        for k in range(8):
            memory.write(store, struct.pack("<q", host.half()), at + 8 * k)

    functions = {
        "npu_get_stream": ([I32], [I32], lambda port: host.word()),
        "npu_get_stream_last": ([I32], [I64], lambda port: host.word() | host.last() << 32),
        "npu_put_stream": ([I32] * 3, [], lambda port, word, last: host.sent.append((word, last))),
        "npu_get_cascade": ([I32], [], get_cascade),
        "npu_put_cascade": (
            [I32],
            [],
            lambda at: host.sent.append(struct.unpack("<8q", memory.read(store, at, at + 64))),
        ),
    }
    imports = [functions[i.name or ""] for i in compiled.imports]
    made = [wasmtime.Func(store, wasmtime.FuncType(p, r), f) for p, r, f in imports]
    exports = wasmtime.Instance(store, compiled, made).exports(store)
    memory, entry = exports["memory"], exports["core_0_2"]
    assert isinstance(memory, wasmtime.Memory)
    assert isinstance(entry, wasmtime.Func)
    assert entry(store) == -1
    return host.sent


def suspended(module: bytes, seed: int, share: float) -> tuple[list[object], int]:
    """What the rewritten module sends, and how often it was left."""
    host, store = Host(seed, share), wasmtime.Store()
    wasm = read_wasm(module, "core")
    bare = WASM_MAGIC + b"".join(
        bytes([s.id]) + unsigned_leb128(len(s.data)) + s.data for s in wasm.sections if s.id in KEPT
    )
    entry_export = wasm.export("core_0_2")
    assert entry_export is not None
    rewritten = make_suspendable(bare, entry_export.number, "core", kernel_shift=0)
    compiled = wasmtime.Module(store.engine, rewritten.module)

    def get() -> int:
        return 0 if host.not_now() else host.word() | 1 << 32 | host.last() << 33

    def put(word: int, last: int) -> int:
        if host.not_now():
            return 0
        host.sent.append((word, last))
        return 1

    def cascade_in(step: int) -> int:
        if step < 0:
            return not host.not_now()
        return host.half() if step < 8 else 0

    def cascade_out(step: int, word: int) -> int:
        if step < 0:
            return not host.not_now()
        if step < 8:
            host.transfer[step] = word
        else:
            host.sent.append(tuple(host.transfer))
        return 1

    functions = {
        "npu_get_stream": ([], [I64], get),
        "npu_get_stream_last": ([], [I64], get),
        "npu_put_stream": ([I32] * 2, [I32], put),
        "npu_get_cascade": ([I32], [I64], cascade_in),
        "npu_put_cascade": ([I32, I64], [I32], cascade_out),
    }
    imports = [functions[i.name or ""] for i in compiled.imports]
    made = [wasmtime.Func(store, wasmtime.FuncType(p, r), f) for p, r, f in imports]
    exports = wasmtime.Instance(store, compiled, made).exports(store)
    memory, entry = exports["memory"], exports["core_0_2"]
    assert isinstance(memory, wasmtime.Memory)
    assert isinstance(entry, wasmtime.Func)
    for segment in wasm.segments:
        memory.write(store, segment.data, segment.address)
    left = 0
    while (answer := entry(store)) != -1:
        assert answer == SUSPENDED
        left += 1
    return host.sent, left


def test_it_computes_the_same_however_often_it_is_left(module):
    expected = plain(module)
    assert len(expected) > 20
    assert suspended(module, 0, 0.0) == (expected, 0)
    for seed, share in enumerate((0.1, 0.5, 0.9, 0.5, 0.9)):
        sent, left = suspended(module, seed, share)
        assert sent == expected
        assert left > 2


def test_signatures_are_those_of_the_compiler_of_modules():
    """Each instruction without immediates, in a function of its signature: the module is valid."""
    bytes_of = {"i": 0x7F, "l": 0x7E, "f": 0x7D, "d": 0x7C, "v": 0x7B}
    zeros = {"i": b"\x41\x00", "l": b"\x42\x00", "f": b"\x43" + bytes(4), "d": b"\x44" + bytes(8)}
    zeros["v"] = b"\xfd\x0c" + bytes(16)
    unknown = []
    engine = wasmtime.Engine()
    for opcode, (taken, left) in SIGNATURES.items():
        prefix, number = opcode >> 12, opcode & 0xFFF
        code = bytes([prefix]) + unsigned_leb128(number) if prefix else bytes([opcode])
        if (not prefix and opcode < 0x45) or (prefix == 0xFC and number >= 8):
            continue  # memory and constants have immediates
        if prefix == 0xFD and (number < 14 or 21 <= number < 35 or 84 <= number < 94):
            continue
        body = b"\0" + b"".join(zeros[t] for t in taken) + code + b"\x0b"
        kind = b"\x60\0" + unsigned_leb128(len(left)) + bytes(bytes_of[t] for t in left)
        module = WASM_MAGIC
        for section, data in (
            (1, b"\1" + kind),
            (3, b"\1\0"),
            (10, b"\1" + unsigned_leb128(len(body)) + body),
        ):
            module += bytes([section]) + unsigned_leb128(len(data)) + data
        if not is_valid(engine, module):
            unknown.append(opcode)
    # Numbers that no instruction has, or not in the engine's release.
    assert set(unknown) <= {SIMD | n for n in (0x9A, 0xA2, 0xA5, 0xA6, 0xAF, 0xB0, 0xB2, 0xB3, 0xB4, 0xBB, 0xC2, 0xC5, 0xC6,
                                               0xCF, 0xD0, 0xD2, 0xD3, 0xD4, 0xE2, 0xEE)}  # fmt: skip


def is_valid(engine: wasmtime.Engine, module: bytes) -> bool:
    """Whether a module passes validation."""
    try:
        wasmtime.Module.validate(engine, module)
    except wasmtime.WasmtimeError:
        return False
    return True
