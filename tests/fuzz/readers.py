"""The readers of files that somebody else may have made, each as a function of bytes, with files it takes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import wasmtime

from npuninja.aie2_compiler.riscv import read_assembly
from npuninja.configure.built import Build, read_graph
from npuninja.configure.record import read_record
from npuninja.configure.settings import read_settings
from npuninja.depfile import read_depfile
from npuninja.device.arrays import read_inputs
from npuninja.device.bare_run import instructions
from npuninja.device.manifest import read_manifest
from npuninja.diag.inspect import inspect_bytes
from npuninja.emit.build_log import read_builds
from npuninja.emulator.configuration import read_design
from npuninja.emulator.core_modules.admission import admit
from npuninja.emulator.core_modules.rewrite import rewrite
from npuninja.emulator.trace_units.packets import Packet, Segment, frames, packets, read_frames, read_packets
from npuninja.errors import InternalError
from npuninja.formats import cdo, elf, emulation_data, pdi, txn, xclbin
from npuninja.formats.aie_partition import read_aie_partition
from npuninja.formats.core_image import read_core_image
from npuninja.formats.dwarf_lines import read_line_table
from npuninja.formats.full_elf import FullInstance, FullKernel, write_full_elf
from npuninja.formats.full_elf_reader import read_full_elf
from npuninja.formats.instruction_elf import write_instruction_elf
from npuninja.formats.wasm_code import functions
from npuninja.formats.wasm_module import append_custom_section, read_wasm
from npuninja.formats.xclbin_kinds import AIE_PARTITION
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.ir.verifier import verify
from npuninja.machine_code.assembler import assemble
from npuninja.machine_code.linker_script import read_linker_script
from npuninja.machine_code.listing import list_section
from npuninja.machine_code.program import read_programs
from npuninja.packaging.build_plan import read_build_plan
from npuninja.packaging.signature import (
    check_signature,
    new_key,
    public_key_of,
    public_key_text,
    read_public_key,
    signature_text,
)
from npuninja.packaging.verify import verify as verify_package
from npuninja.packaging.zip_file import write_zip
from npuninja.remote.settings import read_remote_settings
from npuninja.xrt_emulation.packets import MalformedPacket, read_packet

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


def _full_elf() -> bytes:
    loads = txn.write_txn(txn.Transaction(4, 6, 1, 1, (txn.LoadPdi(1, 0, 0), txn.CreateScratchpad(0, 8, 0))))
    instances = (FullInstance("run", _txn(), bytes(16), 0), FullInstance("load", loads))
    return write_full_elf([FullKernel("main", 3, ((1, _pdi()),), instances)])


def _pdi() -> bytes:
    return pdi.write_pdi([_cdo()])


def _xclbin() -> bytes:
    return xclbin.write_xclbin([xclbin.XclbinKernel(_pdi())], 1, [0], [core_module()])


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


def _read_program(data: bytes) -> None:
    kind, programs = read_programs(data, "fuzz")
    for program in programs[:4]:
        for section in program.sections[:4]:
            list_section(program, section, kind)


def _programs() -> list[bytes]:
    made = assemble((ROOT / "tests/machine_code/programs/cube.s").read_text(), "cube.s")
    return [made.object(), _xclbin(), _pdi()]


def _read_line_table(data: bytes) -> None:
    read_line_table(data)


def _line_tables() -> list[bytes]:
    """A table of version 4 with one file and some of each kind of operation."""
    head = b"\x01\x01\x01\xfb\x0e\x0d" + bytes((0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1)) + b"\0a.c\0\0\0\0\0"
    program = b"\x00\x05\x02\x10\x00\x00\x00\x03\x04\x01\x02\x20\x01\x4b\x08\x02\x04\x00\x01\x01"
    body = (4).to_bytes(2, "little") + len(head).to_bytes(4, "little") + head + program
    return [len(body).to_bytes(4, "little") + body]


def _read_toolchain(data: bytes) -> None:
    with _file(data, ".toml") as path:
        read_settings(path)


def _read_graph(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "graph.json").write_bytes(data)
        read_graph(Build(folder, folder, folder))


def _graph() -> list[bytes]:
    edge = {"outputs": ["run-a"], "inputs": ["a.json"], "rule": "run", "implicit": [], "variables": {}}
    return [json.dumps({"format": 1, "edges": [edge, edge]}).encode()]


def _of_path(read: Callable[[str], object], suffix: str = "") -> Callable[[bytes], object]:
    def reader(data: bytes) -> None:
        with _file(data, suffix) as path:
            read(path)

    return reader


def _record() -> list[bytes]:
    return [b'project = ".."\narguments = ["--device", "npu1"]\n[environment]\nHOME = "/x"\n']


def _remote() -> list[bytes]:
    tools = [{"name": "zig", "root": "/zig", "identity": "zig-1"}]
    fields = {
        "address": "http://h:1",
        "trexe": "/t",
        "package": "p",
        "tools": tools,
        "sources": "",
        "depth": 0,
    }
    return [json.dumps({"format": 1, **fields}).encode()]


def _build_plan() -> list[bytes]:
    package = {
        "name": "a-b",
        "version": "1.0",
        "preset": "",
        "summary": "",
        "license": "",
        "license_files": [],
    }
    fields = {
        "format": 2, "package": package, "designs": {"a": ["b", ["c"]]}, "license_files": {}, "engine": "ninja",
        "source_root": ".", "build_folder": "build", "tools": [], "commands": {}, "ninja": "ninja", "discovering": [],
    }  # fmt: skip
    return [json.dumps(fields).encode()]


def _read_trace(data: bytes) -> None:
    words = [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data) // 4 * 4, 4)]
    for found in read_packets(words).values():
        read_frames(found)


def _trace() -> list[bytes]:
    content = frames([Segment(3, 2, 5), Segment(900, 40, 1), Segment(2000, 1, 3)])
    words = [word for made in packets(Packet(1, 2, "core", 3), content) for word in made]
    return [b"".join(word.to_bytes(4, "little") for word in words)]


def _read_command_packet(data: bytes) -> None:
    with contextlib.suppress(MalformedPacket):
        read_packet(data)


def _command_packets() -> list[bytes]:
    body = (1).to_bytes(4, "little") + (3).to_bytes(8, "little") + (0x1000).to_bytes(8, "little") + bytes(24)
    return [
        ((op << 23) | (len(body) // 4) << 12 | 1).to_bytes(4, "little") + body for op in (0, 18, 19, 20, 22)
    ]


SECRET = new_key()
SIGNED = b"signed"


def _read_signature(data: bytes) -> None:
    with _file(data) as path:
        check_signature(SIGNED, path, public_key_of(SECRET))


def _signature() -> list[bytes]:
    return [signature_text(SIGNED, SECRET, "a comment").encode()]


def _read_assembly(data: bytes) -> None:
    """Of clang's own words an unknown one is a bug of ours; of a mutated one it is not."""
    with contextlib.suppress(InternalError):
        read_assembly(data.decode("utf-8", "replace"), "fuzz.s")


def _toolchain() -> list[bytes]:
    """The project's own, where every key is a comment, and the same with keys set."""
    whole = (ROOT / "toolchain.toml").read_text(encoding="utf-8")
    keys = re.sub(r'^# (\[.*|[\w"-]+ = .*)$', r"\1", whole, flags=re.MULTILINE)
    keys = re.sub(r"^run = .*\n", "", keys, flags=re.MULTILINE)
    return [whole.encode(), keys.encode()]


ASSEMBLY = b"""\t.text
\t.globl k
\t.type k,@function
k:
\t.loc 1 2 3
\tlw a2, 4(a0)
\taddi a2, a2, -7
\tsw a2, 0(a1)
\tbeqz a2, .L1
.L1:
\tret
\t.size k, .-k
\t.data
t:
\t.word 1
\t.byte 0x7f
\t.asciz "text"
\t.zero 12
"""
LINKER_SCRIPT = b"""MEMORY {
   program (RX) : ORIGIN = 0, LENGTH = 0x0020000
   data (!RX) : ORIGIN = 0x70800, LENGTH = 0x6000
}
SECTIONS {
  . = 0x70400;
  _sp_start_value_DM_stack = .;
  . = 0x70800;
  of_0 = .;
}
PROVIDE(main = core_0_2);
"""


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
    "inspect": Reader(
        lambda data: inspect_bytes(data, "fuzz").json(),
        lambda: [_xclbin(), _pdi(), _cdo(), _txn(), *_programs()[:1]],
    ),
    "aie_partition": Reader(
        lambda data: read_aie_partition(data, "fuzz"),
        lambda: [s.data for s in xclbin.read_xclbin(_xclbin(), "x").sections if s.kind == AIE_PARTITION],
    ),
    "program": Reader(_read_program, _programs),
    "line_table": Reader(_read_line_table, _line_tables),
    "instruction_elf": Reader(lambda data: write_instruction_elf(data, "fuzz"), lambda: [_txn()]),
    "full_elf": Reader(lambda data: read_full_elf(data, "fuzz"), lambda: [_full_elf()]),
    "assembler": Reader(
        lambda data: assemble(data.decode("utf-8", "replace"), "fuzz.s"),
        lambda: [(ROOT / "tests/machine_code/programs/cube.s").read_bytes()],
    ),
    "assembly": Reader(_read_assembly, lambda: [ASSEMBLY]),
    "linker_script": Reader(
        lambda data: read_linker_script(data.decode("utf-8", "replace"), "fuzz.ld"), lambda: [LINKER_SCRIPT]
    ),
    "toolchain": Reader(_read_toolchain, _toolchain),
    "graph": Reader(_read_graph, _graph),
    "record": Reader(_of_path(read_record, ".toml"), _record),
    "remote": Reader(_of_path(read_remote_settings, ".json"), _remote),
    "build_plan": Reader(_of_path(read_build_plan, ".json"), _build_plan),
    "trace": Reader(_read_trace, _trace),
    "packet": Reader(_read_command_packet, _command_packets),
    "signature": Reader(_read_signature, _signature),
    "public_key": Reader(
        _of_path(read_public_key), lambda: [public_key_text(public_key_of(SECRET)).encode()]
    ),
    "hex_words": Reader(_of_path(instructions), lambda: [b"0000001a\n06030001\n"]),
    "package": Reader(
        lambda data: verify_package(data, "fuzz.zip"),
        lambda: [write_zip({"x-1/SHA256SUMS": b"", "x-1/package.json": b"{}"})],
    ),
}
