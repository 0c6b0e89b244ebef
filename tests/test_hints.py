"""Hints: each failure's verbatim text is recognised as it; own messages exist; what users see of them."""

from __future__ import annotations

import io
import json
import re
import sys

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from npuninja.cli import main as npuninja
from npuninja.hints import FILE, WHERE, Hint, all_hints, matching
from npuninja.stages._tool import ToolFailed, run_tool

# What others print, word for word (with "…" filled in as seen), and which failure it is.
VERBATIM = [
    ("driver-mismatch", "ERROR: DRM_IOCTL_AMDXDNA_GET_INFO IOCTL failed (err=95): Operation not supported"),
    ("bo-flags", "DRM_IOCTL_AMDXDNA_CREATE_BO IOCTL failed (err=95): unsupported buffer type"),
    ("peano-backend", "fatal error: error in backend: unable to legalize instruction: %41:_(<32 x s32>) = G_ADD %40:_, %12:_"),
    ("aie-api-headers", "include/aie_api/detail/utils.hpp:307:15: error: no member named 'make_tuple' in namespace 'std'"),
    ("objectfifo-link-shared", "error: 'aie.use_lock' op can only access a lock in the same tile"),
    ("objectfifo-release",
     "error: 'aie.objectfifo.acquire' op cannot release more elements than are already acquired"),
    ("objectfifo-tile", "design.mlir:44:13: error: 'aie.buffer' op is accessed from unreachable tile"),
    ("hwctx-limit", "amdxdna 0000:c2:00.1: [drm] *ERROR* aie2_hwctx_init: Alloc hw resource failed, ret -22"),
    ("run-state", "amdxdna 0000:c6:00.1: aie2_tdr_work: Device isn't making progress... Count 3"),
    ("device-wedged", "RuntimeError: DRM_IOCTL_AMDXDNA_EXEC_CMD IOCTL failed (err=5): Input/output error"),
    ("aie-opt-crash", "/usr/include/c++/13/bits/stl_vector.h:1125: Assertion '__n < this->size()' failed."),
    ("dialect-generation",
     "d.mlir:31:45: error: expected ')'\n  aie.dma_bd(%samples : memref<256xi32> offset = 0 len = 256)"),
    ("kernel-call", "[XRT] WARNING: Reverting to host copy of buffers (exec_buf: Operation not supported)"),
    ("aie-python-missing", "ModuleNotFoundError: No module named 'aie'"),
    ("aie-python-missing", "ImportError: cannot import name '_is_integer_like_type' from 'aie.dialects._ods_common'"),
    ("aie-python-missing", "ImportError: _is_integer_like_type"),
    ("aie-extras-missing", "ModuleNotFoundError: aie.extras.util"),
    ("aie-extras-missing", "ModuleNotFoundError: No module named 'aie.extras.runtime'"),
    ("aie-extras-missing", "ImportError: cannot import name 'get_user_code_loc'"),
    ("aie-extras-missing", "ImportError: cannot import name 'make_maybe_no_args_decorator'"),
    ("stdlib-shadowed", "AttributeError: module 'typing' has no attribute '_ClassVar'"),
    ("device-unknown", "ValueError: Unsupported device: npu"),
    ("chess-absent", "FileNotFoundError: [Errno 2]: '<aietools not found>/tps/lnx64/target/bin/LNa64bin/chess-llvm-link'"),
    ("peano-not-found", "FileNotFoundError: 'peano_not_found/bin/clang'"),
    ("peano-not-found", "opt: error: unrecognized architecture 'aie2p'"),
    ("peano-not-found",
     "unable to create target: 'No available targets are compatible with triple \"aie2-none-unknown-elf\"'"),
    ("device-unknown", "Unexpected target . Exiting..."),
    ("mlir-unknown-op", "aie.mlir:12:5: error: custom op 'aie.end_bd' is unknown (tried 'aie.end_bd' as well)"),
    ("aiecc-generation", "aie-opt: Too many positional arguments specified!"),
    ("aiecc-generation",
     "aie-translate: Unknown command line argument '--aie-generate-xclbin=x'.  Try: 'aie-translate --help'"),
    ("xclbinutil-missing", "FileNotFoundError: [Errno 2] No such file or directory: 'xclbinutil'"),
    ("xclbinutil-missing", "/usr/bin/xclbinutil: 42: exec: /usr/bin/unwrapped/xclbinutil/unwrapped/xclbinutil: not found"),
    ("elf-file-with-body", "error: 'aie.core' op When `elf_file` attribute is specified, core body must be empty"),
    ("elf-not-compiled",
     "Expected lowered ELF file to be given as attribute `elf_file` for this core. Compile cores first."),
    ("link-with-unmade", "ld.lld: error: cannot open v2.o: No such file or directory"),
    ("partition-no-pdi", "Error: There are no PDI nodes in the AIE Partition section."),
    ("json-hand-written", "ERROR: Expected format [USER | SYS]:<key>:<value> when using adding a key value pair."),
    ("no-dpu-kernel", "RuntimeError: No valid DPU kernel found in xclbin (err=22): Invalid argument"),
    ("load-xclbin-unsupported", "RuntimeError: load_axlf: Operation not supported"),
    ("cxx-mangling", "ld.lld: error: undefined symbol: fft_radix2_512_fixed(short*, short*)"),
    ("soft-float", "ld.lld: error: undefined symbol: __addsf3"),
    ("soft-float", "LLVM ERROR: unable to legalize instruction: %4:_(s32) = G_BITREVERSE %3:_"),
    ("soft-float", "clang++: warning: treating 'c' input as 'c++' when in C++ mode, this behavior is deprecated"),
    ("object-incompatible", "ld.lld: error: mel_kernel_simple.o is incompatible with main_input.o"),
    ("data-memory-overflow",
     "ld.lld: error: section '.data' will not fit in region 'data': overflowed by 6176 bytes"),
    ("data-memory-overflow", "error: 'aie.tile' op allocated buffers exceeded available memory\n(stack) 0x0-0x3FF"),
    ("program-memory-overflow", "ld.lld: error: section '.text' will not fit in region 'program': overflowed by 64 bytes"),
    ("stale-archive", "ld.lld: error: duplicate symbol: f\n>>> defined at a.c\n>>>            a.o in archive old.a(a.o)"),
    ("bif-empty", "[ERROR]  : BIF file is empty"),
    ("run-state", "ert_cmd_state.ERT_CMD_STATE_ERROR"),
    ("run-state", "ert_cmd_state.ERT_CMD_STATE_TIMEOUT"),
    ("run-state", "qds_device::wait() unexpected command state"),
    ("run-state", "Kernel did not complete. Returned status: 6"),
    ("bo-flags", "RuntimeError: unsupported buffer type: none flag (err=95): Operation not supported"),
    ("hwctx-limit", "DRM_IOCTL_AMDXDNA_CREATE_HWCTX IOCTL failed (err=-2): No such file or directory"),
    ("hwctx-limit", "DRM_IOCTL_AMDXDNA_CREATE_HWCTX IOCTL failed (err=-28): No space left on device"),
    ("hwctx-limit", "DRM_IOCTL_AMDXDNA_CREATE_HWCTX IOCTL failed (err=-22): Invalid argument"),
    ("hwctx-limit", "CREATE_CTX failed (err=-19)"),
    ("hwctx-limit", "RuntimeError: Timer expired (err=62)"),
    ("device-wedged", "DRM_IOCTL_AMDXDNA_EXEC_CMD IOCTL failed (err=-5): Input/output error"),
    ("fw-protocol-mismatch", "amdxdna 0000:c5:00.1: aie2_check_protocol: Incompatible firmware protocol major 7 minor 3"),
    ("fw-protocol-mismatch", "amdxdna 0000:c5:00.1: Invalid mbox magic, 0xffffffff. firmware is not alive"),
    ("no-device", "amdxdna 0000:c5:00.1: amdxdna_drm_open: SVA bind device failed, ret -19".replace(", ret", "")),
    ("no-device", "RuntimeError:  No such device with index '0'"),
    ("no-device", "Device(s) Present\n  0 devices found"),
    ("memlock", "mmap(len=67108864) failed (err=-11): Resource temporarily unavailable"),
    ("pyxrt-abi", "ModuleNotFoundError: No module named 'pyxrt'"),
    ("kernel-name", "RuntimeError: No such kernel 'MLIR_AIE2'"),
    ("kernel-name", "RuntimeError: No such compute unit 'x:y'"),
    ("lfs-pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:00"),
    ("file-missing", "RuntimeError: No such file '/nope.xclbin'"),
    ("placeholder-file", "RuntimeError: xclbin: buffer too small to contain header"),
    ("pyxrt-api", "TypeError: Unable to convert function return value to a Python type! The signature was"),
    ("no-device", "RuntimeError: Unexected error creating shim library name"),
    ("no-device", "$USER variable is not SET"),
    ("no-device",
     "ERROR : [SW_EMU 11] Unable to launch Device process, Please make sure that the XILINX_VITIS environment variable "
     "is set correctly"),
    ("ninja-manifest", "ninja: error: manifest 'build.ninja' still dirty after 100 tries, perhaps system time is not set"),
    ("ninja-manifest",
     "ninja: error: 'gone/clang++', needed by 'build.ninja', missing and no known rule to make it"),
    ("ninja-version", "ninja: warning: build log version is too old; starting over"),
    ("remote-exec", "AttributeError: 'Connection' object has no attribute 'poll'"),
    ("stack-overflow", "memory fault at wasm address 0x6f800 in linear memory of size 0x80000"),
    ("hard-coded-path", "FileNotFoundError: [Errno 2] No such file or directory: '/home/ucadmin/mlir-aie/aie.mlir'"),
    ("not-reproducible", "a.xclbin b.xclbin differ: char 297, line 1"),
    ("oom", "clang++: error: unable to execute command: Killed"),
    ("oom", "kernel: Out of memory: Killed process 4242 (xchesscc)"),
    ("race", "FileExistsError: [Errno 17] File exists: '/tmp/aie.mlir.prj'"),
    ("peano-known-bad", "PLEASE submit a bug report to https://github.com/Xilinx/llvm-aie/issues/ and include the crash"),
    ("windows-wsl", "Linux box 5.15.167.4-microsoft-standard-WSL2 x86_64"),
    ("silent-fallback", "WARNING: NPU not available, using librosa"),
    ("weak-comparison", "RuntimeWarning: invalid value encountered in divide"),
    ("ci-no-npu", "SKIPPED [3] test/npu: no NPU found"),
]  # fmt: skip

# What our own checks print of failures that no tool tells; and the part that is in our source so.
OWN = [
    ("toolchains-mixed", "the cores were made by different compilers: …", "cores were made by"),
    ("subview-offset-lost", "this cast loses the offset of a view that …", "this cast loses the offset of a view"),
    ("shape-mismatch", "12 bytes for a, expected 16 x i32, 64 bytes", "bytes for {argument.name}, expected"),
    ("stack-overflow", "core (0, 2) needs 1216 bytes of stack or more (k 1216), but its stack_size is 1024: set …",
     ", but its stack_size is"),
    ("rodata-large", "core (0, 2) has 41000 bytes of constants, more than a quarter of its 65536 bytes",
     "bytes of constants, more than a quarter of its"),
    ("soft-float", "f computes with scalar floats: …", "computes with scalar floats"),
    ("insts-xclbin-pair", "the file is not of this build: sha256 0011…", "the file is not of this build: sha256"),
    ("weak-comparison", "  out is all zeros: the kernel wrote nothing, or …", "is all zeros: the kernel wrote nothing"),
    ("deadlock", "deadlock: nothing can move any more, and 3 actors wait", "deadlock: nothing can move any more"),
    ("insts-empty", "the instruction stream is empty", "the instruction stream is empty"),
    ("insts-empty", "the instruction stream never waits for a transfer: …", "the instruction stream never waits"),
    ("pdi-without-elf", "the device image does not load the program of core (0, 2): …",
     "the device image does not load the program of core"),
    ("partition-no-pdi", "the XCLBIN's AIE_PARTITION has no PDI", "AIE_PARTITION has no PDI"),
    ("no-dpu-kernel", "the XCLBIN's EMBEDDED_METADATA has no DPU kernel", "EMBEDDED_METADATA has no DPU kernel"),
    ("elf-not-linked", "the ELF is a relocatable object, expected an executable", "a relocatable object"),
    ("object-incompatible", "the ELF is for machine 62, expected 264 (AI Engine)",
     "the ELF is for machine"),
    ("program-memory-overflow", "the program takes 20000 bytes, a core has 16384", "bytes, a core has"),
    ("masked-exit-status", "no file x.pdi was made, although the command succeeded", "although the command succeeded"),
    ("slow-compile", "/x/clang did not end within 300 s", "did not end within"),
    ("oom", "/x/clang was ended by signal 9", "was ended by signal"),
    ("ci-no-npu", "no NPU: there is no /dev/accel/accel*", "no NPU: there is no"),
    ("peano-known-bad", "version 19.0.0 is denied: wrong results", "is denied: "),
    ("link-with-unmade", "nothing makes 'v2.o'", "nothing makes"),
    ("cxx-mangling", "k.o has it as _Z1kPi: one side is C, the other C++; …", "one side is C, the other C++"),
    ("data-memory-overflow", "the kernels' data does not fit: it needs …", "the kernels' data does not fit"),
    ("device-unknown", "unknown NPU device 'npu'", "unknown NPU device"),
    ("lfs-pointer", "the file is a Git LFS pointer, not the content", "Git LFS pointer"),
    ("pyxrt-abi", "/x/pyxrt.so is for another Python than this one", "is for another Python than this one"),
]  # fmt: skip
# Failures that print nothing at all: what prevents them is in docs/troubleshooting.md.
SILENT = {"stale-artefact", "idle-context"}


@pytest.mark.parametrize(("wanted", "text"), VERBATIM)
def test_verbatim_texts(wanted: str, text: str) -> None:
    assert [hint.id for hint in matching(text)][:1] == [wanted]


@pytest.fixture(scope="module")
def source() -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "npuninja").rglob("*.py")))


@pytest.mark.parametrize(("wanted", "text", "part"), OWN)
def test_own_messages(wanted: str, text: str, part: str, source: str) -> None:
    assert [hint.id for hint in matching(text)][:1] == [wanted]
    assert part in source


def test_every_failure_has_a_text() -> None:
    tested = {row[0] for row in (*VERBATIM, *OWN)}
    assert {hint.id for hint in all_hints()} - tested == SILENT
    assert {hint.id for hint in all_hints() if not hint.patterns} == SILENT


def test_the_data() -> None:
    with open(FILE, encoding="utf-8") as stream:
        assert json.load(stream)["format"] == 1
    for hint in all_hints():
        assert re.fullmatch(r"[a-z][a-z0-9-]+", hint.id)
        assert hint.where
        assert set(hint.where) <= set(WHERE)
        assert hint.says
        assert hint.do
        assert not hint.text().endswith(".")
        for pattern in hint.patterns:
            assert not re.search(pattern, ""), f"{hint.id} matches anything"


def test_order_and_place() -> None:
    text = "BIF file is empty\nmodule 'typing' has no attribute '_ClassVar'\nBIF file is empty"
    assert [hint.id for hint in matching(text)] == ["bif-empty", "stdlib-shadowed"]
    assert matching(text, "run") == []
    assert [hint.id for hint in matching(text, "build", "run")] == ["bif-empty", "stdlib-shadowed"]


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    found = matching(text)
    assert all(isinstance(hint, Hint) for hint in found)
    assert len({hint.id for hint in found}) == len(found)


def test_a_failed_tool_is_explained() -> None:
    code = "print(\"unrecognized architecture 'aie2p'\\nBIF file is empty\"); raise SystemExit(1)"
    with pytest.raises(ToolFailed) as caught:
        run_tool([sys.executable, "-c", code])
    assert caught.value.hint is not None
    assert "a system LLVM ran instead of Peano" in caught.value.hint
    assert "note: bootgen read its input file before it was written" in caught.value.render()


def test_explain(tmp_path, capsys, monkeypatch) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"\xff noise\nRuntimeError:  No such device with index '0'\n")
    assert npuninja(["explain", str(log)]) == 0
    assert capsys.readouterr().out.startswith("no-device: XRT finds no NPU; ")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"all is well\xff")))
    assert npuninja(["explain"]) == 0
    assert "nothing in this text is known" in capsys.readouterr().out
    monkeypatch.setattr("npuninja.commands.explain.MAX_LOG_BYTES", 10)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"all is well")))
    assert npuninja(["explain"]) == 2
    assert "more than 10 bytes" in capsys.readouterr().err
    monkeypatch.undo()
    assert npuninja(["explain", "--json", str(log)]) == 0
    assert [hint["id"] for hint in json.loads(capsys.readouterr().out)] == ["no-device"]
    assert npuninja(["explain", str(tmp_path / "none")]) == 2
