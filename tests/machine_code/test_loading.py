"""Prepared and translated programs in the cache: the same as without it, and a damaged one is made again."""

from __future__ import annotations

from pathlib import Path

import pytest
import wasmtime
from random_programs import random_program

from npuninja.machine_code import loading, translation
from npuninja.machine_code.assembler import assemble
from npuninja.machine_code.core_runtime import STEP_DONE, CoreRuntime, load_runtime
from npuninja.machine_code.linker import link
from npuninja.machine_code.linker_script import read_linker_script
from npuninja.machine_code.loading import LoadedProgram
from npuninja.machine_code.program import read_programs
from npuninja.machine_code.translation import translate_now, use_cached

SCRIPT = read_linker_script(
    "MEMORY { data (!RX) : ORIGIN = 0x70800, LENGTH = 0x100 }\n. = 0x70000;\n_sp_start_value_DM_stack = .;\n",
    "s",
)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> wasmtime.Engine:
    def below(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        return folder

    monkeypatch.setattr(loading, "cache_folder", below)
    monkeypatch.setattr(translation, "cache_folder", below)
    return wasmtime.Engine()


def loaded(engine: wasmtime.Engine, seed: int = 0) -> tuple[CoreRuntime, LoadedProgram]:
    elf = link([("a.o", assemble(random_program(seed)).object())], SCRIPT, "s")
    (program,) = read_programs(elf, "a.elf")[1]
    core = CoreRuntime(wasmtime.Store(engine), load_runtime(engine))
    core.set_state("tile", 11)
    return core, LoadedProgram(core, [(s.address, s.data) for s in program.sections])


def test_a_program_from_the_cache_runs_as_one_just_made(engine: wasmtime.Engine, tmp_path: Path) -> None:
    core, program = loaded(engine)
    assert program.is_code(0)
    assert not program.is_code(0x3FF0)
    core.run()
    (entry,) = (tmp_path / "programs").iterdir()
    before = entry.stat().st_mtime_ns
    again, same = loaded(engine)
    again.run()
    assert entry.stat().st_mtime_ns == before
    assert same.digest == program.digest
    assert (again.state("pc"), again.state("issued")) == (core.state("pc"), core.state("issued"))
    assert [again.register(f"r{i}") for i in range(32)] == [core.register(f"r{i}") for i in range(32)]
    assert {at: b.text for at, b in same.bundles.items()} == {at: b.text for at, b in program.bundles.items()}


@pytest.mark.parametrize("damage", [lambda d: d[:-3], lambda d: b"", lambda d: d[:-1] + b"?"])
def test_a_damaged_entry_is_made_again(engine: wasmtime.Engine, tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    first, _ = loaded(engine)
    (entry,) = (tmp_path / "programs").iterdir()
    data = entry.read_bytes()
    entry.write_bytes(damage(data))
    again, _ = loaded(engine)
    assert entry.read_bytes() == data
    assert (first.run(), first.state("issued")) == (again.run(), again.state("issued"))


def test_a_translation_is_taken_from_the_cache(engine: wasmtime.Engine) -> None:
    core, program = loaded(engine, 2)
    assert not use_cached(core, engine, program.digest)
    translate_now(core, engine, program.digest, program.prepared)
    again, same = loaded(engine, 2)
    assert use_cached(again, engine, same.digest)
    assert core.run() == again.run() == STEP_DONE
    assert core.state("issued") == again.state("issued")
