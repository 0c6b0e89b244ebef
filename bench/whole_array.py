"""How long lowering takes for matrix multiplications on a whole array: 16 cores in 4 columns, 32 in 8.

    python bench/whole_array.py [--json FILE] [--repeat N] [--only WORDS]
                                [--reference AIE_OPT [--translate AIE_TRANSLATE] [--built HOW]]

The designs are those that people write: rows of A are dealt to a row of cores each, columns of B to a column,
and the parts of C are joined by their column's memory tile. Measured are wall time, CPU time and peak memory
of whole processes (`npuninja lower`), least of N runs, and how many paths routing looked for. `--reference`
times the same stages of MLIR-AIE's own tools too, for the designs of their generation, as their driver
runs them: addresses, routes and sequence by aie-opt; with `--translate` instructions and a linker script for
each core. Compare user CPU time where other things run. Nothing here runs in the tests.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).parent)]
from machine import best, command_line, describe, machine, record  # noqa: E402

from npuninja.detect.mlir_aie_releases import RELEASES, Release  # noqa: E402

ROWS = 4
#: Cores, columns, device, generation, and whether the text says where tiles are.
DESIGNS = (
    (16, 4, "npu1", "2026-02", True),
    (16, 4, "npu1", "2026-08", True),
    (16, 4, "npu1", "2026-08", False),
    (32, 8, "npu2", "2026-02", True),
    (32, 8, "npu2", "2026-08", True),
    (32, 8, "npu2", "2026-08", False),
)
_A, _B, _C = "memref<32x32xi16>", "memref<32x32xi16>", "memref<32x32xi32>"
_JOINED = "memref<128x32xi32>"
#: Elements of the host's buffers, and of what one transfer takes of them.
_HOST, _PART = 1048576, 4096


def design_of(columns: int, device: str, placed: bool) -> str:
    """The text of a design, in the spelling that 2026-02 and 2026-08 share."""
    lines = ["module {", f"  aie.device({device}) {{", f"    func.func private @matmul({_A}, {_B}, {_C})"]
    lines += _tiles(columns, placed)
    sequence: list[str] = []
    for row in range(ROWS):  # A: a row of cores each, from memory tiles side by side
        shim, memory = _ends(f"a{row}", row * columns // ROWS, placed)
        cores = ", ".join(f"%t{other}_{row + 2}" for other in range(columns))
        lines += _pair(f"a{row}", shim, memory, f"{{{cores}}}", _A)
        sequence.append(_move(f"a{row}", "%a", row, "i16"))
    for column in range(columns):  # B: a column of cores each
        shim, memory = _ends(f"b{column}", column, placed)
        cores = ", ".join(f"%t{column}_{row + 2}" for row in range(ROWS))
        lines += _pair(f"b{column}", shim, memory, f"{{{cores}}}", _B)
        sequence.append(_move(f"b{column}", "%b", column, "i16"))
    for column in range(columns):  # C: joined by column
        shim, memory = _ends(f"c{column}", column, placed)
        parts = []
        for row in range(ROWS):
            parts.append(f"@c{column}_{row}")
            ends = f"%t{column}_{row + 2}, {{{memory}}}"
            lines.append(f"    aie.objectfifo {parts[-1]}({ends}, 2 : i32) : !aie.objectfifo<{_C}>")
        lines.append(
            f"    aie.objectfifo @c{column}({memory}, {{{shim}}}, 2 : i32) : !aie.objectfifo<{_JOINED}>"
        )
        offsets = ", ".join(str(1024 * row) for row in range(ROWS))
        lines.append(f"    aie.objectfifo.link [{', '.join(parts)}] -> [@c{column}]([{offsets}] [])")
        sequence.append(_move(f"c{column}", "%c", column, "i32", ", issue_token = true"))
    for column in range(columns):
        for row in range(ROWS):
            lines += _core(column, row)
    sequence += [f"      aiex.npu.dma_wait {{symbol = @c{column}}}" for column in range(columns)]
    arguments = f"%a: memref<{_HOST}xi16>, %b: memref<{_HOST}xi16>, %c: memref<{_HOST}xi32>"
    lines += [f"    aie.runtime_sequence({arguments}) {{", *sequence, "    }", "  }", "}"]
    return "\n".join(lines) + "\n"


def _tiles(columns: int, placed: bool) -> list[str]:
    """The tiles: those of the array, or cores row by row and two ends of each fifo without a place."""
    if placed:
        return [f"    %t{c}_{r} = aie.tile({c}, {r})" for c in range(columns) for r in range(2 + ROWS)]
    names = [f"a{row}" for row in range(ROWS)] + [f"{kind}{c}" for kind in "bc" for c in range(columns)]
    cores = [f"t{column}_{row + 2}" for row in range(ROWS) for column in range(columns)]
    kinds = {**dict.fromkeys(cores, "CoreTile"), **{f"m_{n}": "MemTile" for n in names}}
    kinds.update({f"s_{n}": "ShimNOCTile" for n in names})
    return [f"    %{name} = aie.logical_tile<{kind}>(?, ?)" for name, kind in kinds.items()]


def _ends(name: str, column: int, placed: bool) -> tuple[str, str]:
    """The shim tile and the memory tile of a fifo."""
    return (f"%t{column}_0", f"%t{column}_1") if placed else (f"%s_{name}", f"%m_{name}")


def _pair(name: str, shim: str, memory: str, cores: str, type: str) -> list[str]:
    """A fifo from the host to a memory tile, and one from there to cores."""
    return [
        f"    aie.objectfifo @{name}({shim}, {{{memory}}}, 2 : i32) : !aie.objectfifo<{type}>",
        f"    aie.objectfifo @{name}_cores({memory}, {cores}, 2 : i32) : !aie.objectfifo<{type}>",
        f"    aie.objectfifo.link [@{name}] -> [@{name}_cores]([] [])",
    ]


def _move(name: str, argument: str, number: int, element: str, more: str = "") -> str:
    part = f"[0, 0, 0, {number * _PART}][1, 1, 1, {_PART}][0, 0, 0, 1]"
    # Several transfers of one shim tile have an id each.
    identifier = {"a": 0, "b": 1, "c": 2}[name[0]] + 3 * (number % 5 if name[0] == "a" else 0)
    return (
        f"      aiex.npu.dma_memcpy_nd({argument}{part}) {{id = {identifier} : i64, metadata = "
        f"@{name}{more}}} : memref<{_HOST}x{element}>"
    )


def _core(column: int, row: int) -> list[str]:
    ports = (
        ("a", f"@a{row}_cores (Consume, 1)", _A),
        ("b", f"@b{column}_cores (Consume, 1)", _B),
        ("c", f"@c{column}_{row} (Produce, 1)", _C),
    )
    lines = [
        f"    %core{column}_{row} = aie.core(%t{column}_{row + 2}) {{",
        "      %c0 = arith.constant 0 : index",
        "      %c1 = arith.constant 1 : index",
        "      %many = arith.constant 4294967295 : index",
        "      scf.for %i = %c0 to %many step %c1 {",
    ]
    for name, port, type in ports:
        lines += [
            f"        %s{name} = aie.objectfifo.acquire {port} : !aie.objectfifosubview<{type}>",
            f"        %{name} = aie.objectfifo.subview.access %s{name}[0] : "
            f"!aie.objectfifosubview<{type}> -> {type}",
        ]
    lines += [
        f"        func.call @matmul(%a, %b, %c) : ({_A}, {_B}, {_C}) -> ()",
        *(f"        aie.objectfifo.release {port}" for _, port, _ in ports),
        "      }",
        "      aie.end",
        '    } {link_with = "matmul.o"}',
    ]
    return lines


def searches(design: str, generation: str) -> int:
    """How many paths routing looks for."""
    from npuninja.errors import Warnings
    from npuninja.ir.parser import parse_module
    from npuninja.lowering import pipeline
    from npuninja.lowering.routing import pathfinder

    count = 0
    own = pathfinder.shortest_paths

    def counted(*arguments: Any) -> list[int]:
        nonlocal count
        count += 1
        return own(*arguments)

    pathfinder.shortest_paths = counted
    try:
        module, warnings = parse_module(design, "design.mlir"), Warnings()
        pipeline.lower_resources(module, alloc_scheme=None, generation=generation, warnings=warnings)
        pipeline.route(module, generation=generation, warnings=warnings)
    finally:
        pathfinder.shortest_paths = own
    return count


class Reference(NamedTuple):
    """MLIR-AIE's own tools, and how they are called.

    Attributes:
        opt: the path of aie-opt.
        translate: of aie-translate, which writes instructions and linker scripts; "" for without.
        release: the pipelines of its release.
        without: passes of these that this aie-opt does not have, and that such designs do not need.
    """

    opt: str
    translate: str
    release: Release
    without: tuple[str, ...]

    def commands(self, source: str, folder: str, columns: int, placed: bool) -> list[list[str]]:
        """The processes that do what `npuninja lower` does, in order."""
        release, files = self.release, [source]

        def opt(*words: str) -> list[str]:
            files.append(str(Path(folder, f"{len(files)}.mlir")))
            return [self.opt, *words, files[-2], "-o", files[-1]]

        lower = release.lower if placed else f"{release.place},{release.lower}"
        lower = lower.format(arch="aie2" if columns == 4 else "aie2p")
        for name in self.without:
            lower = re.sub(rf"{name}(\{{[^{{}}]*\}})?,", "canonicalize,", lower)
        found = [opt(f"--pass-pipeline=builtin.module({lower})"), opt(*release.route)]
        lowered = files[1]
        if release.generation != "2026-08":
            files.append(lowered)
        found.append(opt(f"--pass-pipeline={release.sequence}"))
        if self.translate:
            binary = [self.translate, "--aie-npu-to-binary", "--aie-output-binary"]
            found.append([*binary, files[-1], "-o", str(Path(folder, "insts.bin"))])
            for column in range(columns):
                for row in range(2, 2 + ROWS):
                    script = [self.translate, "--aie-generate-ldscript"]
                    script += [f"--tilecol={column}", f"--tilerow={row}", lowered]
                    found.append([*script, "-o", str(Path(folder, "core.ld"))])
        return found


def reference_of(opt: str, translate: str) -> Reference:
    """Which release a path of aie-opt is of, by the passes that it lists."""
    said = subprocess.run([opt, "--help"], capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"^\s+--([A-Za-z][\w-]*)\b", said, re.MULTILINE))
    for release in reversed(RELEASES):
        text = ",".join((release.lower, release.route[0].removeprefix("--pass-pipeline="), release.sequence))
        names = set(re.findall(r"[A-Za-z][\w-]+(?=[,(){]|$)", re.sub(r"\{\{[^{}]*\}\}", "", text)))
        missing = names - known - {"module", "device"}
        if missing <= {"convert-vector-to-aievec"}:
            return Reference(opt, translate, release, tuple(missing))
    raise SystemExit(f"{opt}: it lists the passes of no release that is known here")


def measure(repeat: int, reference: Reference | None, only: str) -> dict[str, dict[str, Any]]:
    """Every design of `DESIGNS` whose name has `only` in it, by name."""
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="npuninja-bench-") as folder:
        for cores, columns, device, generation, placed in DESIGNS:
            name = f"{cores} cores, {generation}{'' if placed else ', placed by the lowering'}"
            if only not in name:
                continue
            text = design_of(columns, device, placed)
            source, output = Path(folder, f"{cores}.mlir"), Path(folder, "out")
            source.write_text(text, encoding="utf-8")
            lower = [sys.executable, "-m", "npuninja", "lower", str(source), "-o", str(output)]
            run = best([[*lower, "--generation", generation]], repeat)
            found: dict[str, Any] = {**run._asdict(), "searches": searches(text, generation)}
            if reference and reference.release.generation == generation:
                theirs = best(reference.commands(str(source), folder, columns, placed), repeat)
                found["reference"] = theirs._asdict()
                found["ratio_user"] = run.user_s / theirs.user_s
                found["ratio_seconds"] = run.seconds / theirs.seconds
            results[name] = found
    return results


def table(results: dict[str, dict[str, Any]]) -> str:
    """The figures; a ratio below 1 says that npuninja is faster."""
    lines = [
        "| design | wall time | user CPU | peak memory | paths | reference: "
        "wall time | user CPU | ratio of user CPU |",
        "|---" * 8 + "|",
    ]
    for name, figure in results.items():
        theirs = figure.get("reference")
        beside = (
            f"{theirs['seconds']:.2f} s | {theirs['user_s']:.2f} s | {figure['ratio_user']:.2f}"
            if theirs
            else "not measured | |"
        )
        lines.append(
            f"| {name} | {figure['seconds']:.2f} s | {figure['user_s']:.2f} s | {figure['mebibytes']:.0f} "
            f"MiB | {figure['searches']} | {beside} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Measures, prints the table, writes the JSON."""
    parser = command_line("measured times of lowering whole-array designs on this machine", repeat=3)
    parser.add_argument("--only", default="", help="only designs with this in their name: 32 cores")
    parser.add_argument("--reference", metavar="AIE_OPT", help="also time MLIR-AIE's own aie-opt")
    parser.add_argument("--translate", metavar="AIE_TRANSLATE", default="", help="and its aie-translate")
    parser.add_argument("--built", default="", help="how these were built, for the result: -O2, a wheel of …")
    options = parser.parse_args()
    facts = machine()
    print(f"Measured on {describe(facts)}; one process, load {facts['load_at_start']} at the start.\n")
    reference = reference_of(options.reference, options.translate) if options.reference else None
    about: dict[str, Any] = {}
    if reference:
        about = {
            "since": reference.release.since,
            "generation": reference.release.generation,
            "built": options.built,
            "translate": bool(reference.translate),
            "without": list(reference.without),
        }
        print(
            f"The reference is of {about['since']} or later ({about['generation']}); "
            f"{options.built or 'built unknown'}."
        )
        if not reference.translate:
            print("It writes no instructions and no linker scripts here, which npuninja's figures include.\n")
    results = measure(options.repeat, reference, options.only)
    print(table(results))
    record(options.json, facts, reference=about, designs=results)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
