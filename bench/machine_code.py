"""How fast machine code is read, translated and run: table, decoding, interpreter, translation, translated code.

    python bench/machine_code.py FILE.elf [--entry FUNCTION] [--set REG=N …] [--repeat N] [--json]

The program is one of yours that ends, or a function of it. Host time of this machine; it says nothing about an NPU.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

import wasmtime  # noqa: E402
from machine import machine  # noqa: E402

from npuninja.machine_code.decode import decoder  # noqa: E402
from npuninja.machine_code.one_core import OneCore  # noqa: E402
from npuninja.machine_code.prepare import prepare  # noqa: E402
from npuninja.machine_code.program import read_programs  # noqa: E402
from npuninja.machine_code.translate import Translator  # noqa: E402


def _one(options: argparse.Namespace) -> OneCore:
    _, (program,) = read_programs(Path(options.file).read_bytes(), options.file)
    core = OneCore(program, options.file)
    for setting in options.set:
        name, _, value = setting.partition("=")
        core.set_register(name, value)
    if options.entry:
        core.enter(options.entry)
    return core


def _rate(core: OneCore) -> tuple[float, int]:
    start = time.perf_counter()
    stopped = core.run(None)
    seconds = time.perf_counter() - start
    bundles = core.core.state("issued")
    if stopped not in ("done", "returned"):
        why = core.fault_sentence() if stopped == "fault" else "--entry names a function that returns"
        raise SystemExit(f"after {bundles} bundles: {stopped}; {why}")
    return bundles / seconds / 1e6, bundles


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file")
    parser.add_argument("--entry")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--repeat", type=int, default=5, help="the best of so many (default 5)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    start = time.perf_counter()
    code = decoder("aie2")
    table_ms = (time.perf_counter() - start) * 1e3
    _, (program,) = read_programs(Path(options.file).read_bytes(), options.file)
    sections = [(s.address, s.data) for s in program.sections]
    size_bytes = sum(len(data) for _, data in sections)
    decode_ms = []
    for _ in range(options.repeat):
        start = time.perf_counter()
        for address, data in sections:
            list(code.bundles(data, address))
        decode_ms.append((time.perf_counter() - start) * 1e3)

    interpreted = [_rate(_one(options)) for _ in range(options.repeat)]
    translated, translate_ms, compile_ms = [], [], []
    for _ in range(options.repeat):
        core = _one(options)
        prepared = prepare(list(core.bundles.values()), core.core.layout)
        start = time.perf_counter()
        made = Translator(prepared, core.core.places).translate()
        translate_ms.append((time.perf_counter() - start) * 1e3)
        start = time.perf_counter()
        module = wasmtime.Module(core.core.engine, made.module)
        compile_ms.append((time.perf_counter() - start) * 1e3)
        core.core.use_translation(module, made.entries, made.lookups)
        translated.append(_rate(core))
    figures: dict[str, Any] = {
        "machine": machine(),
        "program_bytes": size_bytes,
        "bundles_issued": interpreted[0][1],
        "table_ms": round(table_ms, 1),
        "decode_ms_per_16_kib": round(min(decode_ms) * 16384 / size_bytes, 1),
        "interpreter_mbundles_s": round(max(rate for rate, _ in interpreted), 1),
        "translation_ms": round(min(translate_ms), 1),
        "compilation_ms": round(min(compile_ms), 1),
        "translated_mbundles_s": round(max(rate for rate, _ in translated), 1),
    }
    print(json.dumps(figures) if options.json else "\n".join(f"{n}: {v}" for n, v in figures.items()))


if __name__ == "__main__":
    main()
