"""Streams, cascades and locks used by cores amid their code, in whole designs on the emulated array."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from design_chain import Chain

from npuninja.emulator import Emulator
from npuninja.emulator.core_modules.waiting import IMPORTS
from npuninja.emulator.errors import Deadlock, InvalidAccess
from npuninja.stages import kernel_cc
from npuninja.stages._wasm_flags import STREAM_IMPORTS

HERE = Path(__file__).parent
CHECKED = frozenset({"races", "memory"})
TILES = """
    %s0 = aie.tile(0, 0)
    %t02 = aie.tile(0, 2)
    %t03 = aie.tile(0, 3)
    %t12 = aie.tile(1, 2)
    %t13 = aie.tile(1, 3)
"""
SEQUENCE = """
    aie.shim_dma_allocation @in (MM2S, 0, 0)
    aie.shim_dma_allocation @out (S2MM, 0, 0)
    aiex.runtime_sequence @sequence(%a : memref<{n}xi32>, %b : memref<{m}xi32>) {{
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, {m}][0, 0, 0, 1])
        {{metadata = @out, id = 1 : i64, issue_token = true}} : memref<{m}xi32>
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, {n}][0, 0, 0, 1]) {{metadata = @in, id = 0 : i64}} : memref<{n}xi32>
      aiex.npu.dma_wait {{symbol = @out}}
    }}
"""


class StreamChain(Chain):
    """A design whose kernels are C++ on the AIE API."""

    def kernel(self, name: str) -> str:
        target = self.folder / name
        source = target.with_suffix(".cc")
        source.write_text(self.kernels[name])
        kernel_cc.run([*self.build.compile_arguments(source, target), "--architecture", "aie2"])
        return str(target)


def design(body: str, n: int, m: int) -> str:
    return f"module {{\n  aie.device(npu1_2col) {{{TILES}{body}{SEQUENCE.format(n=n, m=m)}  }}\n}}\n"


def run(chain: Chain, data: np.ndarray, m: int, checks=frozenset(), schedule: int = 0) -> np.ndarray:
    chain.run()
    with Emulator.from_xclbin(
        Path(chain.file("design.xclbin")).read_bytes(), checks=checks, schedule=schedule
    ) as npu:
        a, b = npu.allocate(data.nbytes), npu.allocate(4 * m)
        a.view[:] = data.tobytes()
        for _ in range(1 if schedule else 2):  # the cores run for ever
            npu.run(Path(chain.file("insts.bin")).read_bytes(), [a, b], time_limit_s=60)
        return np.frombuffer(bytes(b.view), np.int32)


CORE_BODIES = """
    aie.flow(%s0, DMA : 0, %t03, Core : 0)
    aie.flow(%t12, Core : 0, %s0, DMA : 0)
    aie.cascade_flow(%t03, %t02)
    aie.cascade_flow(%t02, %t12)
    %keep = aie.buffer(%t02) {sym_name = "keep"} : memref<32xi32>
    %c03 = aie.core(%t03) {
      %p = arith.constant 0 : i32
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c100 = arith.constant 100 : index
      cf.br ^head(%c0 : index)
    ^head(%i: index):
      %more = arith.cmpi slt, %i, %c100 : index
      cf.cond_br %more, ^body, ^end
    ^body:
        %a = aie.get_stream(%p : i32) : i32
        %b = aie.get_stream(%p : i32) : i32
        %s = arith.addi %a, %b : i32
        %v = vector.broadcast %s : i32 to vector<16xi32>
        aie.put_cascade(%v : vector<16xi32>)
      %next = arith.addi %i, %c1 : index
      cf.br ^head(%next : index)
    ^end:
      aie.end
    }
    %c02 = aie.core(%t02) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c100 = arith.constant 100 : index
      %ramp = arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]> : vector<16xi32>
      cf.br ^head(%c0 : index)
    ^head(%i: index):
      %more = arith.cmpi slt, %i, %c100 : index
      cf.cond_br %more, ^body, ^end
    ^body:
        %v = aie.get_cascade() : vector<16xi32>
        %w = arith.addi %v, %ramp : vector<16xi32>
        vector.store %w, %keep[%c0] : memref<32xi32>, vector<16xi32>
        %again = vector.load %keep[%c0] : memref<32xi32>, vector<16xi32>
        aie.put_cascade(%again : vector<16xi32>)
      %next = arith.addi %i, %c1 : index
      cf.br ^head(%next : index)
    ^end:
      aie.end
    }
    %c12 = aie.core(%t12) {
      %p = arith.constant 0 : i32
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c100 = arith.constant 100 : index
      cf.br ^head(%c0 : index)
    ^head(%i: index):
      %more = arith.cmpi slt, %i, %c100 : index
      cf.cond_br %more, ^body, ^end
    ^body:
        %v = aie.get_cascade() : vector<16xi32>
        %first = vector.extract %v[3] : i32 from vector<16xi32>
        %sum = vector.reduction <add>, %v : vector<16xi32> into i32
        aie.put_stream(%p : i32, %first : i32)
        aie.put_stream(%p : i32, %sum : i32)
      %next = arith.addi %i, %c1 : index
      cf.br ^head(%next : index)
    ^end:
      aie.end
    }
"""


@pytest.mark.parametrize(
    ("checks", "schedule"), [(frozenset(), 0), (CHECKED, 7)], ids=["plain", "checked, in a drawn order"]
)
def test_core_bodies_pass_words_by_stream_and_cascade(wasm_build, checks, schedule):
    data = np.arange(40, dtype=np.int32) * 1001
    found = run(StreamChain(wasm_build, "bodies", design(CORE_BODIES, 40, 40)), data, 40, checks, schedule)
    sums = data[0::2] + data[1::2]
    assert found.tolist() == np.stack([sums + 3, 16 * sums + 120], 1).ravel().tolist()


KERNEL = """
#include <aie_api/aie.hpp>
extern "C" void relay(int count) {
    for (int i = 0; i < count; i++) {
        v16int32 row = undef_v16int32();
        for (int k = 0; k < 16; k++) {
            bool last;
            row = upd_elem(row, k, get_ss(last));
            if (last) row = upd_elem(row, 0, ext_elem(row, 0) + 1000);
        }
        aie::vector<int32, 16> v = row;
        put_mcd(aie::add(v, int32(i)));
    }
}
extern "C" void collect(int count) {
    aie::accum<acc64, 16> sum = aie::zeros<acc64, 16>();
    for (int i = 0; i < count; i++)
        sum = aie::mac(sum, aie::vector<int32, 16>(get_scd_v16int32()), 3);
    put_ms(v16int32(sum.to_vector<int32>()), 1);
}
"""
IN_KERNELS = """
    aie.flow(%s0, DMA : 0, %t03, Core : 0)
    aie.flow(%t02, Core : 0, %s0, DMA : 0)
    aie.cascade_flow(%t03, %t02)
    func.func private @relay(i32)
    func.func private @collect(i32)
    %c03 = aie.core(%t03) {
      %n = arith.constant 12 : i32
      func.call @relay(%n) : (i32) -> ()
      func.call @relay(%n) : (i32) -> ()
      aie.end
    } {link_with = "k.o"}
    %c02 = aie.core(%t02) {
      %n = arith.constant NUMBER : i32
      func.call @collect(%n) : (i32) -> ()
      func.call @collect(%n) : (i32) -> ()
      aie.end
    } {link_with = "k.o"}
"""


@pytest.mark.parametrize("checks", [frozenset(), CHECKED], ids=["plain", "checked"])
def test_kernels_pass_words_by_stream_and_cascade(wasm_build, checks):
    data = np.arange(192, dtype=np.int32) * 7
    text = design(IN_KERNELS.replace("NUMBER", "12"), 192, 16)
    found = run(StreamChain(wasm_build, "kernels", text, {"k.o": KERNEL}), data, 16, checks)
    rows = data.reshape(12, 16) + np.arange(12)[:, None]
    rows[11, 0] += 1000  # where the transfer's last word was
    assert found.tolist() == (3 * rows.sum(0)).tolist()


def test_a_deadlock_names_what_waits_for_which_stream_and_where(wasm_build):
    text = design(IN_KERNELS.replace("NUMBER", "13"), 192, 16)
    with pytest.raises(Deadlock) as caught:
        run(StreamChain(wasm_build, "kernels", text, {"k.o": KERNEL}), np.zeros(192, np.int32), 16)
    notes = dict(caught.value.notes)
    stream = next(t for t in notes if "core (0, 3)" in t)
    cascade = next(t for t in notes if "core (0, 2)" in t)
    assert "waits for a word from its stream: MM2S 0 of tile (0, 0) has no task left after" in stream
    assert "waits for its cascade from north: core (0, 3) sends to it, and waits itself" in cascade
    places = [notes[stream], notes[cascade]]
    assert [(Path(p.file).name, p.line) for p in places] == [("k.cc", 8), ("k.cc", 18)]


def test_locks_inside_kernels(wasm_build):
    kernel = """
    #include <aie_api/aie.hpp>
    extern "C" void halve(int *buffer) {
        acquire_greater_equal(48 + 1, 1);
        for (int i = 0; i < 16; i++) put_ms(buffer[i] / 2, i == 15);
        release(48 + 0, 1);
    }
    """
    body = """
    %buffer = aie.buffer(%t02) {sym_name = "buffer"} : memref<16xi32>
    %free = aie.lock(%t02, 0) {init = 1 : i32}
    %full = aie.lock(%t02, 1) {init = 0 : i32}
    aie.flow(%s0, DMA : 0, %t02, DMA : 0)
    aie.flow(%t02, Core : 0, %s0, DMA : 0)
    func.func private @halve(memref<16xi32>)
    %m = aie.mem(%t02) {
      %0 = aie.dma_start(S2MM, 0, ^bb1, ^end)
    ^bb1:
      aie.use_lock(%free, AcquireGreaterEqual, 1)
      aie.dma_bd(%buffer : memref<16xi32>, 0, 16)
      aie.use_lock(%full, Release, 1)
      aie.next_bd ^bb1
    ^end:
      aie.end
    }
    %c02 = aie.core(%t02) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c8 = arith.constant 8 : index
      scf.for %i = %c0 to %c8 step %c1 {
        func.call @halve(%buffer) : (memref<16xi32>) -> ()
      }
      aie.end
    } {link_with = "k.o"}
    """
    data = np.arange(64, dtype=np.int32) * 6
    found = run(StreamChain(wasm_build, "locks", design(body, 64, 64), {"k.o": kernel}), data, 64)
    assert found.tolist() == (data // 2).tolist()
    wrong = design(body, 64, 64)
    kernel = kernel.replace("48 + 1", "0")
    with pytest.raises(InvalidAccess, match=r"uses lock 0 in a kernel.*none is to south"):
        run(StreamChain(wasm_build, "wrong", wrong, {"k.o": kernel}), data, 64)


def test_a_packet_from_a_core_goes_where_its_header_says(wasm_build):
    kernel = """
    #include <aie_api/aie.hpp>
    extern "C" void send(int id, int first) {
        put_ms_packet_header(id, 0);
        for (int i = 0; i < 4; i++) put_ms(first + i, i == 3);
    }
    """
    body = """
    aie.flow(%s0, DMA : 0, %t03, Core : 0)
    aie.packet_flow(5) { aie.packet_source<%t02, Core : 0> aie.packet_dest<%s0, DMA : 0> }
    aie.packet_flow(6) { aie.packet_source<%t03, Core : 0> aie.packet_dest<%s0, DMA : 0> }
    func.func private @send(i32, i32)
    %c02 = aie.core(%t02) {
      %id = arith.constant 5 : i32
      %n = arith.constant 100 : i32
      func.call @send(%id, %n) : (i32, i32) -> ()
      aie.end
    } {link_with = "k.o"}
    %c03 = aie.core(%t03) {
      %p = arith.constant 0 : i32
      %id = arith.constant 6 : i32
      %n = aie.get_stream(%p : i32) : i32
      func.call @send(%id, %n) : (i32, i32) -> ()
      aie.end
    } {link_with = "k.o"}
    """
    chain = StreamChain(wasm_build, "packets", design(body, 1, 8), {"k.o": kernel})
    found = run(chain, np.array([200], np.int32), 8, schedule=3)
    assert sorted(found.tolist()) == [100, 101, 102, 103, 200, 201, 202, 203]
    assert found.tolist() in ([*range(100, 104), *range(200, 204)], [*range(200, 204), *range(100, 104)])


def test_a_kernel_may_ask_for_words_in_a_loop(wasm_build):
    kernel = """
    #include <aie_api/aie.hpp>
    extern "C" void relay(int count) {
        for (int i = 0; i < count; i++) {
            bool there = false, gone = false;
            int word = 0;
            while (!there) word = get_ss_nb(there);
            while (!gone) put_ms_nb(word + i, gone);
        }
    }
    """
    body = """
    aie.flow(%s0, DMA : 0, %t03, Core : 0)
    aie.flow(%t03, Core : 0, %s0, DMA : 0)
    func.func private @relay(i32)
    %c03 = aie.core(%t03) {
      %n = arith.constant 128 : i32
      func.call @relay(%n) : (i32) -> ()
      aie.end
    } {link_with = "k.o"}
    """
    data = np.arange(64, dtype=np.int32) * 5
    found = run(StreamChain(wasm_build, "asking", design(body, 64, 64), {"k.o": kernel}), data, 64)
    assert found.tolist() == (data + np.arange(64, 128)).tolist()


REGISTERS = """
    #include <cstdint>
    #if defined(__AIE2P__)
    #include <aie2pintrin.h>
    #else
    #include <aiev2intrin.h>
    #endif
    extern "C" void registers(int first) {
        write_tm(first, 0x1D1E0);
        __builtin_aiev2_sched_barrier();
        write_tm(first, 0x1D1E0);
        put_ms(read_tm(0x1D1E0) + 1, 0);
        while (read_tm(0x1D1E4) != 7) {}
        put_ms(read_tm(0x1D1E4), 1);
    }
    """


def test_a_core_writes_and_reads_registers_of_its_tile(wasm_build):
    """Words of unused descriptors: the core's own and one that the sequence writes later (AM025 DMA_BD15)."""
    body = """
    aie.flow(%t02, Core : 0, %s0, DMA : 0)
    func.func private @registers(i32)
    %c02 = aie.core(%t02) {
      %n = arith.constant 41 : i32
      func.call @registers(%n) : (i32) -> ()
      aie.end
    } {link_with = "k.o"}
    """
    text = design(body, 1, 2)
    start = "      aiex.npu.dma_memcpy_nd(%b"
    bus = "aiex.npu.write32 {address = 204856 : ui32, column = 0 : i32, row = 2 : i32, value = 1 : ui32}\n"
    later = "aiex.npu.write32 {address = 119268 : ui32, column = 0 : i32, row = 2 : i32, value = 7 : ui32}\n"
    text = "\n".join(line for line in text.splitlines() if "@in" not in line)
    chain = StreamChain(
        wasm_build, "registers", text.replace(start, bus + later + start, 1), {"k.o": REGISTERS}
    )
    chain.run()
    with Emulator.from_xclbin(Path(chain.file("design.xclbin")).read_bytes()) as npu:
        a, b = npu.allocate(4), npu.allocate(8)
        npu.run(Path(chain.file("insts.bin")).read_bytes(), [a, b], time_limit_s=60)
        assert np.frombuffer(bytes(b.view), np.int32).tolist() == [42, 7]
    off = StreamChain(wasm_build, "bus_off", text, {"k.o": REGISTERS})
    off.run()
    with Emulator.from_xclbin(Path(off.file("design.xclbin")).read_bytes()) as npu:
        a, b = npu.allocate(4), npu.allocate(8)
        with pytest.raises(Deadlock) as caught:
            npu.run(Path(off.file("insts.bin")).read_bytes(), [a, b], time_limit_s=60)
    assert any("core (0, 2) polls register 0x00232038 until" in note for note, _ in caught.value.notes)


def test_stages_and_emulator_agree_on_the_imports():
    assert set(IMPORTS) == STREAM_IMPORTS
    header = Path(HERE.parents[1], "npuninja/kernel_headers/include/npu/stream_imports.h").read_text()
    assert set(re.findall(r"^(?:int|long long|void) (npu_\w+)\(", header, re.M)) == STREAM_IMPORTS
