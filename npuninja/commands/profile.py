"""`npuninja profile`: where the cores of machine code spend their issue cycles in a run on the emulated array."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple, Sequence

from npuninja.argument_parser import Parser
from npuninja.commands.model import content_of
from npuninja.configure.built import meant_manifest
from npuninja.device import bare_run
from npuninja.device.manifest import read_manifest
from npuninja.errors import Error, Location, UserError
from npuninja.formats.elf import DATA_START
from npuninja.machine_code.functions import Functions
from npuninja.machine_code.program import Symbol, read_programs

if TYPE_CHECKING:
    from npuninja.emulator.machine_cores import MachineCore

_WHAT = "Runs a design on the emulated array (no NPU involved) and says how many cycles its cores' machine code issues, by "
_WHAT += "function and loop (exact; stalls are modelled). Names come from the cores' ELFs, where they are beside the file."
#: How many files of a build folder are looked through for the cores' ELFs.
_MOST_FILES = 2000


class Run(NamedTuple):
    """What is run: the files, the content of the buffers, and the limit."""

    xclbin: bytes
    name: str
    insts: bytes
    content: list[bytes]
    kernel: str | None
    time_limit_s: float


def main(arguments: Sequence[str]) -> int:
    """Runs the verb."""
    plain = [a for a in arguments if not a.startswith("-")]
    if plain and any(bare_run.is_xclbin(a) for a in plain):
        parser = bare_run.parser_of_runs("npuninja profile", _WHAT)
        parser.add_argument(
            "--symbols", action="append", default=[], metavar="FILE.elf", help="a core's ELF; repeat"
        )
        options = parser.parse_args(arguments)
        buffers = [bare_run.read_buffer(kind, text) for kind, text in options.buffers]
        run = Run(
            bare_run.read(options.xclbin), options.xclbin, bare_run.instructions(options.insts),
            [b.content for b in buffers], options.kernel, options.time_limit,
        )  # fmt: skip
    else:
        options = _parser().parse_args(arguments)
        manifest = read_manifest(meant_manifest(options.manifest))
        if manifest.core_kind == "wasm":
            raise UserError(
                "the design's cores are wasm modules, which have no issue cycles",
                hint=f"npuninja model {options.manifest} counts what they do",
            )
        run = Run(
            manifest.read(manifest.xclbin), manifest.xclbin, manifest.read(manifest.insts),
            content_of(manifest, options), manifest.kernel, options.time_limit,
        )  # fmt: skip
    report = _profile(run, options.symbols)
    print(json.dumps(report) if options.json else _text(report))
    return 0


def _parser() -> Parser:
    parser = Parser(prog="npuninja profile", description=_WHAT)
    parser.add_argument(
        "manifest", metavar="NAME.json|FILE.xclbin", help="FILE.xclbin takes the options of `run`"
    )
    parser.add_argument(
        "--input", action="append", default=[], metavar="[NAME=]FILE", help="data for an input; repeat"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the random inputs (default 1)")
    parser.add_argument("--time-limit", type=float, default=120.0, metavar="S", help="seconds (default 120)")
    parser.add_argument(
        "--symbols", action="append", default=[], metavar="FILE.elf", help="a core's ELF; repeat"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    return parser


def _elves_beside(path: str) -> list[str]:
    """ELFs in the folder of a file and one below: each is used for the core whose program it is, byte for byte."""
    folder = os.path.dirname(os.path.abspath(path))
    found: list[str] = []
    for entry in sorted(os.scandir(folder), key=lambda e: e.name)[:_MOST_FILES]:
        if entry.name.endswith(".elf"):
            found.append(entry.path)
        elif entry.is_dir():
            found += sorted(os.path.join(entry.path, n) for n in os.listdir(entry.path) if n.endswith(".elf"))
    return found


def _symbols(paths: Sequence[str], wanted: Sequence[str]) -> dict[bytes, tuple[Symbol, ...]]:
    """Symbols by the program that they belong to."""
    found = {}
    for path in paths:
        try:
            _, programs = read_programs(bare_run.read(path), path)
        except Error:
            if path in wanted:
                raise
            continue  # a file of another kind that lies there too
        for program in programs:
            if program.elf is not None:
                code = [(s.address, s.data) for s in program.elf.segments if s.address < DATA_START]
                found[_image(code)] = tuple(program.symbols)
    return found


def _image(pieces: Sequence[tuple[int, bytes]]) -> bytes:
    """Program memory as pieces fill it, without zeros at its end, which a configuration may add."""
    image = bytearray(max((at + len(data) for at, data in pieces), default=0))
    for at, data in pieces:
        image[at : at + len(data)] = data
    return bytes(image).rstrip(b"\0")


def _profile(run: Run, wanted: Sequence[str]) -> dict[str, Any]:
    from npuninja.emulator import Emulator  # wasmtime takes 50 ms

    known = _symbols([*_elves_beside(run.name), *wanted], wanted)
    with Emulator.from_xclbin(run.xclbin, kernel=run.kernel, name=run.name, count_bundles=True) as npu:
        if not npu.machine_cores():
            raise UserError(
                "no core of the design has machine code, so there are no issue cycles",
                hint="npuninja model NAME.json",
            )
        images = {_image(core.pieces) for core in npu.machine_cores()}
        for path in wanted:
            if not images & set(_symbols([path], wanted)):
                raise UserError("no core of the design has the program in this ELF", Location(path))
        hosts = []
        for content in run.content:
            host = npu.allocate(len(content))
            host.view[:] = content
            hosts.append(host)
        npu.run(run.insts, hosts, run.time_limit_s)
        cores = [_core(core, known.get(_image(core.pieces), ())) for core in npu.machine_cores()]
        for host in hosts:
            host.view.release()
    return {"emulated": True, "issue_cycles_are": "exact", "stall_cycles_are": "modelled", "cores": cores}


def _core(core: MachineCore, symbols: Sequence[Symbol]) -> dict[str, Any]:
    return {
        "column": core.info.column,
        "row": core.info.row,
        "issue_cycles": core.issue_cycles(),
        "stall_cycles": core.stall_cycles(),
        "has_symbols": bool(symbols),
        "functions": Functions(core.pieces, symbols).profile(core.runtime.issues),
    }


def _text(report: dict[str, Any]) -> str:
    lines = ["emulated, no NPU involved; issue cycles are exact, stalls are modelled"]
    for core in report["cores"]:
        total, stalls = core["issue_cycles"], sum(core["stall_cycles"].values())
        lines.append(f"\ncore ({core['column']}, {core['row']}): {total} issue cycles, {stalls} stall cycles")
        if not core["has_symbols"]:
            lines.append(
                "  no ELF of this program is known (--symbols FILE.elf), so functions have addresses only"
            )
        for row in core["functions"]:
            lines.append(
                f"  {100 * row['issue_cycles'] / max(total, 1):5.1f} %  {row['issue_cycles']:>12}  {row['function']}, "
                f"{row['calls']} call{'' if row['calls'] == 1 else 's'}"
            )
            lines += [
                f"  {100 * loop['issue_cycles'] / max(total, 1):5.1f} %  {loop['issue_cycles']:>12}    loop 0x{loop['start']:x} "
                f"to 0x{loop['end']:x}, {loop['trips']} trips"
                for loop in row["loops"]
                if loop["issue_cycles"]
            ]
    return "\n".join(lines)
