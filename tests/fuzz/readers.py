"""The readers of files that somebody else may have made, each as a function of bytes, with files it takes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import wasmtime

from npuninja.depfile import read_depfile
from npuninja.device.arrays import read_inputs
from npuninja.device.manifest import read_manifest
from npuninja.emit.build_log import read_builds
from npuninja.emulator.configuration import read_design
from npuninja.emulator.core_modules.admission import admit
from npuninja.emulator.core_modules.rewrite import rewrite
from npuninja.formats import cdo, elf, emulation_data, pdi, txn, xclbin
from npuninja.formats.core_image import read_core_image
from npuninja.formats.wasm_code import functions
from npuninja.formats.wasm_module import append_custom_section, read_wasm
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.ir.verifier import verify
from npuninja.packaging.verify import verify as verify_package
from npuninja.packaging.zip_file import write_zip

ROOT = Path(__file__).resolve().parents[2]

CORE = """(module (memory (export "memory") 8 8) (global (export "__stack_pointer") (mut i32) (i32.const 0))
  (table 1 funcref) (func $k (param i32 i32) (i32.store offset=4 (local.get 0) (i32.load8_u (local.get 1)))
    (memory.copy (local.get 0) (local.get 1) (i32.const 7)) (v128.store (local.get 0) (v128.load (local.get 1))))
  (func (export "core_0_2") (result i64) (call $k (i32.const 0x70800) (i32.const 0x70900)) (i64.const -1)))"""
INFO = {
    "abi": 1, "column": 0, "row": 2, "entry": "core_0_2", "stack_bytes": 1024, "data_end": 0x71000, "waits": [],
    "buffers": [["in", 0x70800, 64]], "neighbours": [],
}  # fmt: skip


def core_module() -> bytes:
    made = append_custom_section(bytes(wasmtime.wat2wasm(CORE)), "npuninja.core", json.dumps(INFO).encode())
    return bytes(made)


COMMANDS = [
    cdo.Write(0x21F000, 3),
    cdo.MaskWrite(0x232000, 2, 2),
    cdo.BlockWrite(0x21D000, bytes(range(32))),
    cdo.Fill(0x200000, 0, 16),
]


def _cdo() -> bytes:
    return cdo.write_cdo(COMMANDS)


def _txn() -> bytes:
    operations = (txn.Write(0x21F000, 1), txn.BlockWrite(0x1D000, bytes(32)), txn.AddressPatch(0x1D004, 0, 0))
    return txn.write_txn(txn.Transaction(3, 6, 1, 1, (*operations, txn.Sync(0, 0, 1, 0, 1, 1))))


def _pdi() -> bytes:
    return pdi.write_pdi([_cdo()])


def _xclbin() -> bytes:
    return xclbin.write_xclbin([xclbin.Kernel(_pdi())], 1, [0], [core_module()])


class Reader(NamedTuple):
    """One reader: what it does with bytes, and files to begin with."""

    read: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]


@contextlib.contextmanager
def _file(data: bytes, suffix: str = "") -> Iterator[str]:
    handle, path = tempfile.mkstemp(suffix=suffix)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        yield path
    finally:
        os.unlink(path)


def _read_wasm(data: bytes) -> None:
    image = read_core_image(data, "aie2", "fuzz")
    if image.info is None:
        return
    wasm = read_wasm(data, "fuzz")
    admit(wasm, len(data), "fuzz")
    with contextlib.suppress(IndexError):  # its callers turn that into an error
        functions(wasm)
    for checked in (False, True):
        rewrite(data, image.info.entry, "fuzz", checked=checked)


def _read_mlir(data: bytes) -> None:
    module = parse_module(data.decode("utf-8", "replace"), "fuzz.mlir")
    print_module(module)
    verify(module)


def _read_manifest(data: bytes) -> None:
    with _file(data, ".json") as path:
        read_manifest(path)


MANIFEST = {
    "format": 1, "design": "d", "device": "npu1_1col", "core_kind": "wasm", "kernel": {"name": "MLIR_AIE", "id": "0x901"},
    "arguments": [{"name": "a", "direction": "in", "shape": [4], "dtype": "i32", "bytes": 16}],
    "files": {"xclbin": {"path": "a", "sha256": "0"}, "insts": {"path": "b", "sha256": "0"}}, "build_id": "1",
    "providers": {}, "reference": None,
}  # fmt: skip


def _read_npy(data: bytes) -> None:
    from npuninja.device.manifest import parse_manifest

    with _file(data, ".npy") as path:
        read_inputs([path], parse_manifest(MANIFEST, "m.json"))


def _npy() -> list[bytes]:
    import numpy as np

    stream = io.BytesIO()
    np.save(stream, np.arange(4, dtype=np.int32))
    return [stream.getvalue()]


def _read_wav(data: bytes) -> None:
    from whisper_mel.wav import read_wav

    with _file(data, ".wav") as path:
        read_wav(path)


def _wav() -> list[bytes]:
    import wave

    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(64))
    return [stream.getvalue()]


def _read_depfile(data: bytes) -> None:
    with _file(data) as path:
        read_depfile(path)


def _mlir() -> list[bytes]:
    small = sorted((ROOT / "mlir").glob("*.mlir"), key=lambda p: p.stat().st_size)[:4]
    return [path.read_bytes() for path in small]


READERS: dict[str, Reader] = {
    "cdo": Reader(lambda data: cdo.read_cdo(data, "fuzz"), lambda: [_cdo()]),
    "txn": Reader(lambda data: txn.read_txn(data, "fuzz"), lambda: [_txn()]),
    "pdi": Reader(lambda data: pdi.read_pdi(data, "fuzz").commands("fuzz"), lambda: [_pdi()]),
    "xclbin": Reader(lambda data: read_design(data, "fuzz"), lambda: [_xclbin()]),
    "emulation_data": Reader(
        lambda data: emulation_data.read_emulation_data(data, "fuzz"),
        lambda: [emulation_data.write_emulation_data([core_module()])],
    ),
    "wasm": Reader(_read_wasm, lambda: [core_module()]),
    "elf": Reader(lambda data: elf.read_elf(data, "fuzz"), lambda: [b"\x7fELF" + bytes(200)]),
    "mlir": Reader(_read_mlir, _mlir),
    "manifest": Reader(_read_manifest, lambda: [json.dumps(MANIFEST).encode()]),
    "npy": Reader(_read_npy, _npy),
    "wav": Reader(_read_wav, _wav),
    "depfile": Reader(_read_depfile, lambda: [b"a.o: b.c \\\n c\\ d.h $$x\n"]),
    "ninja_log": Reader(
        lambda data: read_builds(data.decode("utf-8", "replace"), "fuzz"),
        lambda: [b"# ninja log v6\n0\t12\t1700000000000\tbuild/a.o\tdeadbeef\n"],
    ),
    "package": Reader(
        lambda data: verify_package(data, "fuzz.zip"),
        lambda: [write_zip({"x-1/SHA256SUMS": b"", "x-1/package.json": b"{}"})],
    ),
}
