"""Speed of machine code: table, decoding, interpreter, translation, translated code.

    python bench/machine_code.py [FILE.elf] [--entry FUNCTION] [--set REG=N …] [--decode FILE] [--repeat N]
        [--json] [--write bench/results/machine_code.json]

The program is one of yours that ends, or a function of it; by default a hand-written loop of products over
64 words (machine_code.s). CPU time of this machine, not of an NPU. The first decoding is in a process that
has decoded nothing; `--decode` does it with the largest program of another file, such as an XCLBIN.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

import wasmtime  # noqa: E402
from machine import machine, record  # noqa: E402

from npuninja.machine_code.assembler import assemble  # noqa: E402
from npuninja.machine_code.decode import decoder  # noqa: E402
from npuninja.machine_code.linker import link  # noqa: E402
from npuninja.machine_code.linker_script import read_linker_script  # noqa: E402
from npuninja.machine_code.one_core import OneCore  # noqa: E402
from npuninja.machine_code.prepare import prepare  # noqa: E402
from npuninja.machine_code.program import read_programs  # noqa: E402
from npuninja.machine_code.translate import Translator  # noqa: E402

#: Decodes a file's largest program in its own process: its bytes, milliseconds with the table and without.
_FIRST = """
import sys, time
from npuninja.machine_code.program import read_programs
from npuninja.machine_code import decode, instruction_set
_, programs = read_programs(open(sys.argv[1], "rb").read(), sys.argv[1])
program = max(programs, key=lambda one: sum(len(s.data) for s in one.sections))
for known in (decode.decoder, decode._readers, instruction_set.instruction_set):
    known.cache_clear()  # reading an XCLBIN looks at the begin of each program
start = time.process_time()
code = decode.decoder("aie2")
table = time.process_time()
for section in program.sections:
    list(code.bundles(section.data, section.address))
end = time.process_time()
size = sum(len(section.data) for section in program.sections)
print(size, (end - start) * 1e3, (end - table) * 1e3)
"""


def _elf(options: argparse.Namespace) -> bytes:
    if options.file:
        return Path(options.file).read_bytes()
    made = assemble((ROOT / "bench" / "machine_code.s").read_text(), "machine_code.s").object()
    script = (
        "MEMORY { data (!RX) : ORIGIN = 0x72000, LENGTH = 0x1000 }\n"
        ". = 0x70000;\n"
        "_sp_start_value_DM_stack = .;\n"
    )
    return link([("machine_code.o", made)], read_linker_script(script, "script"), "script")


def _first_decode(path: str, repeat: int) -> dict[str, Any]:
    """The best of some first decodings."""
    times = []
    for _ in range(repeat):
        command = [sys.executable, "-c", _FIRST, str(Path(path).resolve())]
        said = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True).stdout.split()
        times.append((float(said[1]), float(said[2]), int(said[0])))
    return {
        "first_decode_file": Path(path).name,
        "first_decode_bytes": times[0][2],
        "first_decode_with_table_ms": round(min(whole for whole, _, _ in times), 1),
        "first_decode_ms": round(min(alone for _, alone, _ in times), 1),
    }


def _one(options: argparse.Namespace) -> OneCore:
    _, (program,) = read_programs(_elf(options), options.file or "machine_code.s")
    core = OneCore(program, options.file or "machine_code.s")
    for setting in options.set:
        name, _, value = setting.partition("=")
        core.set_register(name, value)
    if options.entry:
        core.enter(options.entry)
    return core


def _rate(core: OneCore) -> tuple[float, int]:
    start = time.process_time()
    stopped = core.run(None)
    seconds = time.process_time() - start
    bundles = core.core.state("issued")
    if stopped not in ("done", "returned"):
        why = core.fault_sentence() if stopped == "fault" else "--entry names a function that returns"
        raise SystemExit(f"after {bundles} bundles: {stopped}; {why}")
    return bundles / seconds / 1e6, bundles


def _translate(options: argparse.Namespace) -> tuple[float, float, float]:
    """Million bundles a second of translated code; milliseconds of its translation and its compilation."""
    core = _one(options)
    prepared = prepare(list(core.bundles.values()), core.core.layout)
    start = time.process_time()
    made = Translator(prepared, core.core.addresses).translate()
    between = time.process_time()
    module = wasmtime.Module(core.core.engine, made.module)
    end = time.process_time()
    core.core.use_translation(module, made.entries, made.lookups)
    return _rate(core)[0], (between - start) * 1e3, (end - between) * 1e3


def main() -> None:
    """Measures, and prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", default="")
    parser.add_argument("--entry")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--repeat", type=int, default=5, help="the best of so many (default 5)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--decode", metavar="FILE", help="whose largest program is decoded first")
    parser.add_argument("--write", type=Path, help="a file of results")
    options = parser.parse_args()

    start = time.process_time()
    code = decoder("aie2")
    table_ms = (time.process_time() - start) * 1e3
    data = _elf(options)
    _, (program,) = read_programs(data, options.file or "machine_code.s")
    with tempfile.NamedTemporaryFile(suffix=".elf") as stream:
        stream.write(data)
        stream.flush()
        first = _first_decode(options.decode or stream.name, options.repeat)
    sections = [(s.address, s.data) for s in program.sections]
    size_bytes = sum(len(data) for _, data in sections)
    decode_ms = []
    for _ in range(options.repeat):
        start = time.process_time()
        for address, data in sections:
            list(code.bundles(data, address))
        decode_ms.append((time.process_time() - start) * 1e3)

    interpreted = [_rate(_one(options)) for _ in range(options.repeat)]
    translated, translate_ms, compile_ms = zip(*(_translate(options) for _ in range(options.repeat)))
    figures: dict[str, Any] = {
        "program_bytes": size_bytes,
        "bundles_issued": interpreted[0][1],
        "table_ms": round(table_ms, 1),
        **first,
        "decode_again_ms_per_16_kib": round(min(decode_ms) * 16384 / size_bytes, 1),
        "interpreter_mbundles_s": round(max(rate for rate, _ in interpreted), 1),
        "translation_ms": round(min(translate_ms), 1),
        "compilation_ms": round(min(compile_ms), 1),
        "translated_mbundles_s": round(max(translated), 1),
    }
    facts = machine()
    record(options.write, facts, **figures)
    shown = {"machine": facts, **figures}
    print(json.dumps(shown) if options.json else "\n".join(f"{n}: {v}" for n, v in shown.items()))


if __name__ == "__main__":
    main()
