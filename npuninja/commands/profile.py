"""`npuninja profile`: where cores of machine code spend their issue cycles on the emulated array."""

from __future__ import annotations

import argparse
import json
from typing import Sequence

from npuninja.argument_parser import VerbParser
from npuninja.commands.model import content_of
from npuninja.configure.built import meant_manifest
from npuninja.device import bare_run
from npuninja.device.issue_profile import CoreProfile, RunInputs, core_frame, profile_run
from npuninja.device.manifest import read_manifest
from npuninja.device.run_options import seconds, with_time_limit
from npuninja.errors import UserError
from npuninja.files import write_if_changed

_WHAT = (
    "Runs a design on the emulated array (no NPU involved) and says how many cycles its cores' machine "
    "code issues, by "
)
_WHAT += "function, loop and C line (exact; stalls are modelled). "
_WHAT += "Names come from the cores' ELFs, where they are beside the file."
_LINES_SHOWN = 12


def main(arguments: Sequence[str]) -> int:
    """Runs `npuninja profile`; returns its exit code."""
    plain = [a for a in arguments if not a.startswith("-")]
    if plain and any(bare_run.is_xclbin(a) for a in plain):
        parser = bare_run.parser_of_runs("npuninja profile", _WHAT)
        _add_own_options(parser)
        options = with_time_limit(parser.parse_args(arguments))
        buffers = [bare_run.read_buffer(kind, text) for kind, text in options.buffers]
        run = RunInputs(
            bare_run.read(options.xclbin), options.xclbin, bare_run.instructions(options.insts),
            [b.content for b in buffers], options.kernel, options.time_limit,
        )  # fmt: skip
    else:
        options = with_time_limit(_parser().parse_args(arguments))
        manifest = read_manifest(meant_manifest(options.manifest))
        if manifest.core_kind == "wasm":
            raise UserError(
                "the design's cores are wasm modules, which have no issue cycles",
                hint=f"npuninja model {options.manifest} counts what they do",
            )
        run = RunInputs(
            manifest.read(manifest.xclbin), manifest.xclbin, manifest.read(manifest.insts),
            content_of(manifest, options), manifest.kernel, options.time_limit,
        )  # fmt: skip
    cores, is_cut = profile_run(run, options.symbols)
    if options.flame:
        _write_flame(options.flame, cores, run.name)
    if options.json:
        labels = {
            "emulated": True,
            "issue_cycles_are": "exact",
            "stall_cycles_are": "modelled",
            "is_cut": is_cut,
        }
        print(json.dumps({**labels, "cores": [core.to_json() for core in cores]}))
    else:
        print(_text(cores, is_cut))
    return 0


def _add_own_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--symbols", action="append", default=[], metavar="FILE.elf", help="a core's ELF; repeat"
    )
    parser.add_argument(
        "--flame",
        metavar="FILE",
        help="a flame graph: FILE.svg is a drawing, any other name gets lines a;b;c CYCLES",
    )


def _parser() -> VerbParser:
    parser = VerbParser(prog="npuninja profile", description=_WHAT)
    parser.add_argument(
        "manifest", metavar="NAME.json|FILE.xclbin", help="FILE.xclbin takes the options of `run`"
    )
    parser.add_argument(
        "--input", action="append", default=[], metavar="[NAME=]FILE", help="data for an input; repeat"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the random inputs (default 1)")
    parser.add_argument(
        "--time-limit", type=seconds, default=120.0, metavar="S", help="seconds (default 120)"
    )
    _add_own_options(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    return parser


def _write_flame(path: str, cores: list[CoreProfile], name: str) -> None:
    """A flame graph of all cores: a drawing, or lines `a;b;c CYCLES` for other programs."""
    roots = [core_frame(core) for core in cores]
    if path.endswith(".svg"):
        from npuninja.report.flame import flame_svg

        text = flame_svg(roots, f"issue cycles of {name} (emulated)") + "\n"
    else:
        text = "".join(f"{line}\n" for root in roots for line in root.folded())
    write_if_changed(path, text)


def _text(cores: list[CoreProfile], is_cut: bool) -> str:
    lines = ["emulated, no NPU involved; issue cycles are exact, stalls are modelled"]
    if is_cut:
        lines.append("time was up before the run's end (--time-limit): the figures are of its beginning")
    for core in cores:
        total, stalls = core.issue_cycles, sum(core.stall_cycles.values())
        lines.append(f"\ncore ({core.column}, {core.row}): {total} issue cycles, {stalls} stall cycles")
        if not core.has_symbols:
            lines.append(
                "  no ELF of this program is known (--symbols FILE.elf), so functions have addresses only"
            )

        def share(cycles: int, total: int = total) -> str:
            return f"  {100 * cycles / max(total, 1):5.1f} %  {cycles:>12}"

        for row in core.profile.functions:
            calls = f"{row.calls} call{'' if row.calls == 1 else 's'}"
            lines.append(f"{share(row.issue_cycles)}  {row.name}, {calls}")
            lines += [
                f"{share(loop.issue_cycles)}    {'loop' if loop.is_hardware else 'loop by a branch'} "
                f"0x{loop.start:x} to 0x{loop.end:x}, {loop.trips} trips"
                for loop in row.loops
            ]
        if core.profile.lines:
            lines.append("  by C line:")
            lines += [f"{share(cycles)}  {line}" for line, cycles in core.profile.lines[:_LINES_SHOWN]]
    return "\n".join(lines)
