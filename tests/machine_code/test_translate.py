"""Translated code against the interpreter: the same registers, memory, faults and cycles on random programs."""

from __future__ import annotations

import random
from typing import Any

import pytest
import wasmtime
from random_programs import random_program

from npuninja.machine_code.assembler import assemble
from npuninja.machine_code.core_runtime import STEP_DONE, STEP_FAULT, STEP_WAIT_GE, CoreRuntime, load_runtime
from npuninja.machine_code.linker import link, read_linker_script
from npuninja.machine_code.prepare import prepare
from npuninja.machine_code.program import read_programs
from npuninja.machine_code.reachable import reachable_bundles
from npuninja.machine_code.registers import NAMES, VECTOR_NAMES, place_of
from npuninja.machine_code.translate import Translator

SCRIPT = read_linker_script(
    "MEMORY { data (!RX) : ORIGIN = 0x70800, LENGTH = 0x100 }\n. = 0x70000;\n_sp_start_value_DM_stack = .;\n",
    "s",
)


@pytest.fixture(scope="module")
def engine() -> tuple[wasmtime.Engine, wasmtime.Module]:
    made = wasmtime.Engine()
    return made, load_runtime(made)


def core(engine: tuple[wasmtime.Engine, wasmtime.Module], text: str, *, translated: bool) -> CoreRuntime:
    elf = link([("a.o", assemble(text).object())], SCRIPT, "s")
    (program,) = read_programs(elf, "a.elf")[1]
    made = CoreRuntime(wasmtime.Store(engine[0]), engine[1])
    prepared = prepare(reachable_bundles([(s.address, s.data) for s in program.sections]), made.layout)
    made.put(prepared)
    if translated:
        translation = Translator(prepared, made.places).translate()
        made.use_translation(
            wasmtime.Module(engine[0], translation.module), translation.entries, translation.lookups
        )
    made.set_state("tile", 11)
    source = random.Random(7)
    made.data(0x70000, 0x10000)[:] = source.randbytes(0x10000)
    for name in VECTOR_NAMES:
        made.write(place_of(name), source.randbytes(place_of(name).size_bytes))
    return made


def everything(made: CoreRuntime) -> dict[str, Any]:
    # The carry is left out: translated code keeps it only where a program reads it.
    state: dict[str, Any] = {name: made.register(name) for name in NAMES if name != "srCarry"}
    state.update({name: made.read(place_of(name)).hex() for name in VECTOR_NAMES})
    for name in ("issued", "bank_conflicts", "stack_high", "events", "fault", "fault_at", "fault_a"):
        state[name] = made.state(name)
    state["memory"] = bytes(made.data(0x70000, 0x10000)).hex()
    return state


@pytest.mark.parametrize("seed", range(16))
def test_random_programs(engine: tuple[wasmtime.Engine, wasmtime.Module], seed: int) -> None:
    text = random_program(seed)
    judge, made = core(engine, text, translated=False), core(engine, text, translated=True)
    results = judge.run(), made.run()
    assert results[0] == results[1], (judge.fault(), made.fault())
    assert results[0] in (STEP_DONE, STEP_FAULT)
    a, b = everything(judge), everything(made)
    if results[0] == STEP_FAULT:  # registers of translated code lie in locals then
        keys = ("fault", "fault_at", "fault_a")
        a, b = {k: a[k] for k in keys}, {k: b[k] for k in keys}
    assert {k: (a[k], b[k]) for k in a if a[k] != b[k]} == {}


def test_random_programs_mostly_end(engine: tuple[wasmtime.Engine, wasmtime.Module]) -> None:
    ended = [core(engine, random_program(seed), translated=False).run() for seed in range(16)]
    assert ended.count(STEP_DONE) >= 11


def test_an_acquire_in_a_delay_slot_waits_and_goes_on(
    engine: tuple[wasmtime.Engine, wasmtime.Module],
) -> None:
    text = ".globl main\nmain:\n mova r1, #-1\n jz r2, #there\n acq #48, r1\n nop\n acq #49, r1\n nop\n nop\n done\n"
    text += "there:\n mova r3, #7\n done\n"
    for translated in (False, True):
        made = core(engine, text + "nop\n" * 5, translated=translated)
        for lock in (0, 1):
            assert made.run() == STEP_WAIT_GE
            assert made.state("wait_lock") == 64 * 11 + lock
            made.data(0x10000 + 4 * (64 * 11 + lock), 4)[:] = (1).to_bytes(4, "little")
        assert made.run() == STEP_DONE
        assert (made.register("r3"), made.state("issued")) == (7, 6 + 1 + 6 + 2)


def test_a_computed_jump_to_no_block_is_interpreted(engine: tuple[wasmtime.Engine, wasmtime.Module]) -> None:
    text = ".globl main\nmain:\n movxm p0, #there+4\n nop\n j p0\n add r0, r0, #1\n nop\n nop\n nop\n nop\n"
    text += "there:\n done\n mova r1, #5\n done\n"
    for translated in (False, True):
        made = core(engine, text + "nop\n" * 5, translated=translated)
        assert made.run() == STEP_DONE
        assert (made.register("r0"), made.register("r1")) == (1, 5)


def test_two_results_that_meet_in_one_register_are_left_to_the_interpreter(
    engine: tuple[wasmtime.Engine, wasmtime.Module],
) -> None:
    text = ".globl main\nmain:\n movxm p0, #0x70100\n nop\n lda r1, [p0, #0]\n" + " nop\n" * 5
    text += " mova r1, #5\n add r2, r1, r1\n add r3, r1, r1\n done\n" + " nop\n" * 5
    judge, made = core(engine, text, translated=False), core(engine, text, translated=True)
    assert (judge.run(), made.run()) == (STEP_DONE, STEP_DONE)
    a, b = everything(judge), everything(made)
    assert {k: (a[k], b[k]) for k in a if a[k] != b[k]} == {}
