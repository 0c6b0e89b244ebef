"""`npuninja run FILE.xclbin`: an XCLBIN and its instructions without a manifest, on the emulated array.

The buffers are the kernel's bo0, bo1, … in the order in which --input and --output are on the command line.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING, Any, Callable, Sequence

from npuninja.argument_parser import VerbParser
from npuninja.device.memory_limit import RUN_LIMIT_BYTES, add_memory_limit
from npuninja.device.run_options import CHECKED, add_checks, add_time_limit, with_time_limit
from npuninja.errors import Error, UserError, WrongResult
from npuninja.file_kinds import XCLBIN_MAGIC
from npuninja.files import is_special, read_file, write_file
from npuninja.formats.stream_2023 import is_stream_2023, to_transaction
from npuninja.formats.txn import HEX_LINES, AddressPatch, read_txn
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from npuninja.emulator import Emulator

#: What the array has of host memory.
MAX_BUFFER_BYTES = 4 << 30


def is_xclbin(path: str) -> bool:
    """Whether a file is an XCLBIN, by its first bytes."""
    return beginning_of(path, len(XCLBIN_MAGIC)) == XCLBIN_MAGIC


def beginning_of(path: str, nbytes: int) -> bytes:
    """The first bytes of a plain file; b"" where there is none that can be read."""
    try:
        # A FIFO without a writer would keep us waiting; what is no plain file is nothing to look at.
        if is_special(path) and not os.path.isfile(path):
            return b""
        with open(path, "rb") as stream:
            return stream.read(nbytes)
    except (OSError, ValueError):
        return b""


class GivenBuffer(NamedTuple):
    """One host buffer: its content before the run, and the file that takes it after the run, if any."""

    content: bytes
    output: str | None


class _Ordered(argparse.Action):
    """Keeps --input, --output and --inout in the order of the command line."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option: str | None = None,
    ) -> None:
        namespace.buffers = [*(namespace.buffers or []), (self.dest, str(values))]


def parser_of_runs(prog: str, description: str) -> argparse.ArgumentParser:
    """Options of a run without a manifest: `xclbin`, `insts`, `buffers`, `kernel`, `time_limit`, `json`."""
    parser = VerbParser(
        prog=prog,
        description=f"{description} Buffers are the kernel's bo0, bo1, … in the order of --input, "
        "--output and --inout.",
    )
    parser.add_argument("xclbin", metavar="FILE.xclbin")
    parser.add_argument(
        "--insts", required=True, metavar="FILE", help="insts.bin, or a text of hexadecimal words"
    )
    parser.add_argument("--kernel", help="the kernel whose PDI is loaded; by default the first")
    add_buffers(parser)
    return parser


def add_buffers(parser: argparse.ArgumentParser) -> None:
    """What every run without a manifest takes: buffers, limits and the form of the report."""
    parser.add_argument(
        "--device", choices=("auto", "emu"), default="emu", help="only the emulated array runs it so"
    )
    parser.add_argument("--input", action=_Ordered, metavar="FILE", help="a buffer with this content; repeat")
    parser.add_argument(
        "--output", action=_Ordered, metavar="BYTES:FILE", help="a buffer of zeros, written to FILE after"
    )
    parser.add_argument(
        "--inout",
        action=_Ordered,
        metavar="FILE:FILE",
        help="a buffer read from one file, written to another",
    )
    add_time_limit(parser)
    add_memory_limit(parser, RUN_LIMIT_BYTES)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    parser.set_defaults(buffers=[])


def read(path: str) -> bytes:
    """A file's bytes. Raises UserError."""
    return read_file(path, MAX_BUFFER_BYTES)


def read_buffer(kind: str, text: str, limit_bytes: int = MAX_BUFFER_BYTES) -> GivenBuffer:
    """The buffer of an --input, --output or --inout. Raises UserError, also when it is beyond the limit."""
    if kind == "input":
        return GivenBuffer(read(text), None)
    left, sign, right = text.partition(":")
    if not sign or not left or not right:
        raise UserError(f"--{kind} {text}: expected {'BYTES:FILE' if kind == 'output' else 'FILE:FILE'}")
    if kind == "inout":
        return GivenBuffer(read(left), right)
    try:
        size = int(left, 0)
    except ValueError:
        raise UserError(f"--output {text}: '{left}' is no number of bytes") from None
    if size < 1:
        raise UserError(f"--output {text}: a buffer has at least one byte")
    if size > limit_bytes:
        raise UserError(
            f"--output {text}: more than the memory limit of {limit_bytes} bytes", hint="see --memory-limit"
        )
    return GivenBuffer(bytes(size), right)


def instructions(path: str) -> bytes:
    """An instruction stream: binary or hexadecimal text; one of 2023 as a transaction. Raises UserError."""
    data = read(path)
    if data and HEX_LINES.fullmatch(data):
        data = b"".join(int(word, 16).to_bytes(4, "little") for word in data.split())
    return to_transaction(data, path) if is_stream_2023(data) else data


def arguments_used(path: str) -> int:
    """How many arguments a file's instructions take the addresses of: a call may leave out later ones.

    Raises:
        UserError: the file is no instruction stream.
    """
    operations = read_txn(instructions(path), path).operations
    return max((op.argument + 1 for op in operations if isinstance(op, AddressPatch)), default=0)


def main(arguments: Sequence[str]) -> int:
    """Runs the command line; returns the exit code."""
    parser = parser_of_runs(
        "npuninja run FILE.xclbin",
        "Runs an XCLBIN and its instructions on the emulated array (no NPU involved), without a manifest.",
    )
    add_checks(parser)
    return print_run(_run, with_time_limit(parser.parse_args(arguments)))


def print_run(run: Callable[[argparse.Namespace], dict[str, Any]], options: argparse.Namespace) -> int:
    """Runs what the options say; prints the report, or why it failed. Returns the exit code."""
    try:
        report = run(options)
    except Error as error:
        return _print_error(error, options.json)
    print(json.dumps(report) if options.json else _report_text(report))
    return int(report["exit_code"])


def _print_error(error: Error, as_json: bool) -> int:
    if as_json:
        fields = {
            "status": "error",
            "exit_code": error.exit_code,
            "message": error.message,
            "hint": error.hint,
        }
        fields["report"] = getattr(error, "report", None)
        print(json.dumps(fields))
    print(error.render(), file=sys.stderr)
    return error.exit_code


def _run(options: argparse.Namespace) -> dict[str, Any]:
    from npuninja.emulator import Emulator

    buffers = [read_buffer(kind, text, options.memory_limit) for kind, text in options.buffers]
    insts = instructions(options.insts)
    with Emulator.from_xclbin(
        read(options.xclbin), kernel=options.kernel, name=options.xclbin, checks=frozenset(options.check)
    ) as npu:
        return buffer_report(npu, insts, buffers, options)


def buffer_report(
    npu: Emulator, insts: bytes, buffers: Sequence[GivenBuffer], options: argparse.Namespace
) -> dict[str, Any]:
    """Runs instructions with buffers, writes wanted ones, says what checks found, and gives the report."""
    npu.limit_memory(options.memory_limit)
    if not all(buffer.content for buffer in buffers):
        raise UserError("an input file is empty: a buffer has at least one byte")
    hosts = npu.allocate_filled(buffer.content for buffer in buffers)
    run = npu.run(insts, hosts, options.time_limit)
    for buffer, host in zip(buffers, hosts):
        if buffer.output is not None:
            write_file(buffer.output, bytes(host.view))
    report = run.to_json()
    report["remarks"] = run.remarks()
    for host in hosts:
        host.view.release()
    findings = npu.races()
    for finding in findings:
        print(finding.render(), file=sys.stderr)
    fields = {
        "status": "wrong" if findings else "ok",
        "exit_code": WrongResult.exit_code if findings else 0,
        "device": "emu",
        "emulated": True,
        "checks": sorted(npu.checks),
    }
    return {**fields, **{name: value for name, value in report.items() if name not in fields}}


def _report_text(report: dict[str, Any]) -> str:
    """The report of an emulated run as lines for people: time, cycles or steps of each core, remarks."""
    lines = [f"emulated, no NPU involved: completed in {report['wall_time_s']:.3f} s of this machine's time"]
    for core in report["cores"]:
        line = f"core ({core['column']}, {core['row']}): "
        if core.get("issue_cycles") is None:
            line += f"{core['steps']} steps"
        else:
            stalls = sum(core["stall_cycles"].values())
            line += f"{core['issue_cycles']} issue cycles (exact), {stalls} stall cycles (modelled)"
        lines.append(line + (", ended" if core["ended"] else ""))
    if report["checks"] and not report["exit_code"]:
        lines.append(f"checked for {' and '.join(CHECKED[name] for name in report['checks'])}: nothing found")
    lines += [f"warning: {remark}" for remark in report["remarks"]]
    return "\n".join(lines)
