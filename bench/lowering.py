"""How long lowering takes: conformance designs against the reference tools, made designs of 1 to 32 cores.

    python bench/lowering.py [--json FILE] [--repeat N] [--only designs|growth]

A figure is the wall time of one whole process, `npuninja lower`, and its peak memory, measured here; the
least of N runs counts, as all else is the machine's doing. The reference's figure is the sum of the processes
that this one replaces, from tests/conformance/times.json (C++ programs on another machine of two cores, least
of 3 runs): compare ratios, not milliseconds. Processor time, which is printed too, suffers less from other
load. Nothing here runs in the tests.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from machine import ROOT, Figure, best, command_line, describe, machine, record

CONFORMANCE = ROOT / "tests" / "conformance"
# The stages of the reference that `npuninja lower` does not replace.
OTHER_STAGES = ("aie-translate-cdo", "bootgen")
CORES = (1, 2, 4, 8, 16, 24, 32)
CORES_IN_A_COLUMN = 4
TARGETS = {"median ratio": 0.5, "peak memory, MiB": 80, "16 cores in 4 columns, s": 0.3}


def lower(design: Path, repeat: int, scheme: str = "default") -> Figure:
    """The least of several runs of `npuninja lower`."""
    with tempfile.TemporaryDirectory(prefix="npuninja-bench-") as folder:
        command = [sys.executable, "-m", "npuninja", "lower", str(design), "-o", folder]
        return best([command + ([] if scheme == "default" else ["--alloc-scheme", scheme])], repeat)


def measure_designs(repeat: int) -> dict[str, dict[str, float]]:
    """Every conformance design, by name."""
    recorded: dict[str, dict[str, float]] = json.loads(
        (CONFORMANCE / "times.json").read_text(encoding="utf-8")
    )
    results = {}
    for name, stages in recorded.items():
        folder = CONFORMANCE / name
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        run = lower(folder / "design.mlir", repeat, meta["pass_options"].get("alloc-scheme", "default"))
        reference_s = sum(seconds for stage, seconds in stages.items() if stage not in OTHER_STAGES)
        results[name] = {
            "seconds": run.seconds,
            "cpu_s": run.cpu_s,
            "reference_s": reference_s,
            "ratio": run.seconds / reference_s,
            "peak_mib": run.mebibytes,
        }
    return results


def design_of(cores: int) -> str:
    """A design in which each column's memtile deals one input out to its cores and collects their outputs."""
    columns = -(-cores // CORES_IN_A_COLUMN)
    # The same array for all, so that only the design grows.
    lines = ["module {", "  aie.device(npu2) {"]
    sequence = []
    for column in range(columns):
        rows = range(min(CORES_IN_A_COLUMN, cores - column * CORES_IN_A_COLUMN))
        tile, whole = f"%t{column}_", f"memref<{256 * len(rows)}xi32>"
        lines += [f"    {tile}{row} = aie.tile({column}, {row})" for row in range(2 + len(rows))]
        lines += [
            f"    aie.objectfifo @in{column}({tile}0, {{{tile}1}}, 2 : i32) : !aie.objectfifo<{whole}>",
            f"    aie.objectfifo @out{column}({tile}1, {{{tile}0}}, 2 : i32) : !aie.objectfifo<{whole}>",
        ]
        part = "memref<256xi32>"
        for row in rows:
            at = f"{column}_{row}"
            lines += [
                f"    aie.objectfifo @in{at}({tile}1, {{{tile}{row + 2}}}, 2 : i32) : "
                f"!aie.objectfifo<{part}>",
                f"    aie.objectfifo @out{at}({tile}{row + 2}, {{{tile}1}}, 2 : i32) : "
                f"!aie.objectfifo<{part}>",
                *_core(column, row, part),
            ]
        offsets = ", ".join(str(256 * row) for row in rows)
        ins = ", ".join(f"@in{column}_{row}" for row in rows)
        outs = ", ".join(f"@out{column}_{row}" for row in rows)
        lines += [
            f"    aie.objectfifo.link [@in{column}] -> [{ins}]([] [{offsets}])",
            f"    aie.objectfifo.link [{outs}] -> [@out{column}]([{offsets}] [])",
        ]
        move = f"[0, 0, 0, {4096 * column}][1, 1, 1, 4096][0, 0, 0, 1]"
        sequence += [
            f"      aiex.npu.dma_memcpy_nd(%a{move}) {{id = 0 : i64, metadata = @in{column}}} : "
            "memref<32768xi32>",
            f"      aiex.npu.dma_memcpy_nd(%b{move}) {{id = 1 : i64, metadata = @out{column}}} : "
            "memref<32768xi32>",
        ]
    sequence += [f"      aiex.npu.dma_wait {{symbol = @out{column}}}" for column in range(columns)]
    lines += [
        "    aiex.runtime_sequence(%a : memref<32768xi32>, %b : memref<32768xi32>) {",
        *sequence,
        "    }",
        "  }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _core(column: int, row: int, part: str) -> list[str]:
    ports = (("x", f"@in{column}_{row} (Consume, 1)"), ("y", f"@out{column}_{row} (Produce, 1)"))
    lines = [
        f"    aie.core(%t{column}_{row + 2}) {{",
        "      %c0 = arith.constant 0 : index",
        "      %c1 = arith.constant 1 : index",
        "      %c16 = arith.constant 16 : index",
        "      %c256 = arith.constant 256 : index",
        "      scf.for %i = %c0 to %c16 step %c1 {",
    ]
    for name, port in ports:
        lines += [
            f"        %s{name} = aie.objectfifo.acquire {port} : !aie.objectfifosubview<{part}>",
            f"        %{name} = aie.objectfifo.subview.access %s{name}[0] : "
            f"!aie.objectfifosubview<{part}> -> {part}",
        ]
    lines += [
        "        scf.for %j = %c0 to %c256 step %c1 {",
        f"          %v = memref.load %x[%j] : {part}",
        "          %w = arith.addi %v, %v : i32",
        f"          memref.store %w, %y[%j] : {part}",
        "        }",
        *(f"        aie.objectfifo.release {port}" for _, port in ports),
        "      }",
        "      aie.end",
        "    }",
    ]
    lines[0] = f"    %core{column}_{row} = " + lines[0].strip()
    return lines


def measure_growth(repeat: int) -> dict[str, dict[str, float]]:
    """Generated designs, by number of cores."""
    results = {}
    with tempfile.TemporaryDirectory(prefix="npuninja-bench-") as folder:
        for cores in CORES:
            design = Path(folder) / f"cores{cores}.mlir"
            design.write_text(design_of(cores), encoding="utf-8")
            run = lower(design, repeat)
            results[str(cores)] = {"seconds": run.seconds, "cpu_s": run.cpu_s, "peak_mib": run.mebibytes}
    return results


def designs_table(results: dict[str, dict[str, float]]) -> str:
    """The figures of the conformance designs, and what they come to."""
    lines = [
        "| design | measured here | processor time | peak memory | reference, recorded | ratio |",
        "|---" * 6 + "|",
    ]
    for name, figure in sorted(results.items(), key=lambda item: item[1]["ratio"]):
        lines.append(
            f"| {name} | {figure['seconds']:.3f} s | {figure['cpu_s']:.3f} s | {figure['peak_mib']:.0f} MiB "
            f"| {figure['reference_s']:.3f} s | {figure['ratio']:.2f} |"
        )
    ratio = statistics.median(figure["ratio"] for figure in results.values())
    peak = max(figure["peak_mib"] for figure in results.values())
    cpu_ratio = statistics.median(figure["cpu_s"] / figure["reference_s"] for figure in results.values())
    lines += [
        "",
        f"Median ratio {ratio:.2f} (target {TARGETS['median ratio']}), of processor time {cpu_ratio:.2f}; ",
    ]
    lines[-1] += f"largest peak memory {peak:.0f} MiB (target {TARGETS['peak memory, MiB']})."
    return "\n".join(lines)


def growth_table(results: dict[str, dict[str, float]]) -> str:
    """The figures of the generated designs; last, the processor time of each core beyond the first."""
    first = results[str(CORES[0])]["cpu_s"]
    lines = ["| cores | measured here | processor time | peak memory | each further core |", "|---" * 5 + "|"]
    for cores, figure in results.items():
        more = int(cores) - CORES[0]
        each = f"{(figure['cpu_s'] - first) / more * 1000:.1f} ms" if more else ""
        times = f"{figure['seconds']:.3f} s | {figure['cpu_s']:.3f} s"
        lines.append(f"| {cores} | {times} | {figure['peak_mib']:.0f} MiB | {each} |")
    target = TARGETS["16 cores in 4 columns, s"]
    lines += ["", f"16 cores in 4 columns: {results['16']['seconds']:.3f} s (target {target} s)."]
    return "\n".join(lines)


def main() -> int:
    """Measures, prints the tables, writes the JSON."""
    parser = command_line("measured times of lowering on this machine", repeat=5)
    parser.add_argument("--only", choices=("designs", "growth"), help="leave out the other part")
    options = parser.parse_args()
    facts = machine()
    print(f"Measured on {describe(facts)}; wall time of one process.\n")
    content: dict[str, Any] = {"targets": TARGETS}
    if options.only != "growth":
        content["designs"] = measure_designs(options.repeat)
        print(designs_table(content["designs"]))
    if options.only != "designs":
        content["growth"] = measure_growth(options.repeat)
        print(("\n" if "designs" in content else "") + growth_table(content["growth"]))
    record(options.json, facts, **content)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
