"""`npuninja core`: one core's program alone, from its start or from one function."""

from __future__ import annotations

import argparse
import json
from typing import Any, Sequence

from npuninja.argument_parser import VerbParser
from npuninja.errors import DeviceError, UserError
from npuninja.files import MAX_XCLBIN_BYTES, read_file, write_file
from npuninja.machine_code.one_core import IssuedBundle, OneCore
from npuninja.machine_code.program import read_programs
from npuninja.machine_code.registers import NAMES

_OWN_LOCKS = frozenset(map(str, range(16)))


def _parser() -> VerbParser:
    parser = VerbParser(
        prog="npuninja core",
        description="Runs the AIE2 machine code of one core alone (emulated, no NPU involved) until `done`, "
        "the return of the entry function, or a limit; prints registers and issue cycles.",
    )
    parser.add_argument("file", metavar="FILE.elf", help="a linked program of one core")
    parser.add_argument(
        "--entry", metavar="ADDRESS|SYMBOL", help="call this function instead of starting at 0"
    )
    parser.add_argument("--set", metavar="REG=N", action="append", default=[], help="set a register before")
    parser.add_argument(
        "--lock", metavar="ID=N", action="append", default=[], help="set an own lock (0 to 15) before"
    )
    parser.add_argument(
        "--memory",
        metavar="ADDRESS=FILE",
        action="append",
        default=[],
        help="put a file's bytes into data memory",
    )
    parser.add_argument(
        "--dump",
        metavar="ADDRESS:BYTES=FILE",
        action="append",
        default=[],
        help="write data memory to a file after",
    )
    parser.add_argument("--max-cycles", metavar="N", type=_positive, help="stop after so many issued bundles")
    parser.add_argument("--break", metavar="ADDRESS|SYMBOL", dest="breaks", action="append", default=[])
    parser.add_argument(
        "--trace", action="store_true", help="show each bundle, from --break on, and what it changed"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    return parser


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18 or not int(text):
        raise argparse.ArgumentTypeError(f"'{text}' is no number of bundles: at least 1")
    return int(text)


def _lock_value(text: str) -> int:
    try:
        value = int(text[:80], 0)
    except ValueError:
        raise UserError(f"--lock: '{text[:80]}' is no number") from None
    if not -64 <= value <= 63:
        raise UserError(f"--lock: {value} is no value of a lock, which has -64 to 63")
    return value


def _pair(text: str, what: str) -> tuple[str, str]:
    left, sign, right = text.partition("=")
    if not sign or not left or not right:
        raise UserError(f"'{text}' is not {what}")
    return left, right


def main(arguments: Sequence[str]) -> int:
    """Runs `npuninja core`; returns its exit code."""
    options = _parser().parse_args(arguments)
    data = read_file(options.file, MAX_XCLBIN_BYTES)
    kind, programs = read_programs(data, options.file)
    if kind not in ("ELF", "object"):
        raise UserError(f"{options.file} is of kind {kind}, expected the ELF of one core")
    core = OneCore(programs[0], options.file)
    if options.entry:
        core.enter(options.entry)
    for text in options.set:
        core.set_register(*_pair(text, "REG=N"))
    for text in options.lock:
        number, value = _pair(text, "ID=N")
        if number not in _OWN_LOCKS:
            raise UserError(f"--lock {text[:80]}: a core has own locks 0 to 15")
        core.set_lock(int(number), _lock_value(value))
    for text in options.memory:
        address, path = _pair(text, "ADDRESS=FILE")
        core.put(core.address_of(address), read_file(path, MAX_XCLBIN_BYTES))
    dumps = [_dump(core, text) for text in options.dump]
    stopped, steps = _run(core, options)
    for start, size, path in dumps:
        write_file(path, core.take(start, size))
    report = core.report(stopped)
    if options.json:
        if steps:
            report["trace"] = [
                {"address": s.address, "text": s.text, "registers": s.registers, "memory": s.memory}
                for s in steps
            ]
        print(json.dumps(report))
    else:
        print(_text(core, report, options.file))
    return DeviceError.exit_code if stopped in ("fault", "waits") else 0


def _run(core: OneCore, options: argparse.Namespace) -> tuple[str, list[IssuedBundle]]:
    for text in options.breaks:
        address = core.address_of(text)
        if address not in core.bundles:
            raise UserError(f"no bundle begins at 0x{address:x}", hint="disasm shows where they begin")
        core.core.set_break(address)
    stopped = "break"
    if options.breaks or not options.trace:
        stopped = core.run(options.max_cycles)
    steps: list[IssuedBundle] = []
    if not options.trace or stopped != "break":
        return stopped, steps
    while options.max_cycles is None or core.core.state("issued") < options.max_cycles:
        why, step = core.step()
        if not options.json:
            print(_step_text(core, step))
        steps.append(step)
        if why is not None:
            return why, steps
    return "max-cycles", steps


def _step_text(core: OneCore, step: IssuedBundle) -> str:
    changes = [
        f"{name}=0x{value:x}" if isinstance(value, int) else f"{name}={value}"
        for name, value in step.registers.items()
    ]
    changes += [f"[0x{address:x}]=0x{word:08x}" for address, word in step.memory.items()]
    left = f"{step.address:5x}{core.names.phrase(step.address)}: {step.text}"
    return f"{left}  // {', '.join(changes)}" if changes else left


def _dump(core: OneCore, text: str) -> tuple[int, int, str]:
    place, path = _pair(text, "ADDRESS:BYTES=FILE")
    address, sign, size = place.partition(":")
    if not sign:
        raise UserError(f"'{text}' is not ADDRESS:BYTES=FILE")
    try:
        count = int(size, 0)
    except ValueError:
        raise UserError(f"'{size}' in --dump {text} is no number of bytes") from None
    start = core.address_of(address)
    core.take(start, count)  # the place is checked before the run
    return start, count, path


def _text(core: OneCore, report: dict[str, Any], path: str) -> str:
    stopped = report["stopped"]
    why = {
        "done": "done",
        "returned": "the entry function returned",
        "max-cycles": "the limit of --max-cycles is reached",
        "break": "stopped at a breakpoint",
    }.get(stopped) or (report["waits"] if stopped == "waits" else report["fault"]["why"])
    where = f"0x{report['pc']:x}{core.names.phrase(report['pc'])}"
    stalls = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in report["stall_cycles"].items())
    stack = report["stack_bytes"]
    lines = [
        f"{path}: {why}",
        f"  emulated; pc {where}, {report['issue_cycles']} issue cycles; stalls (modelled): {stalls}",
        f"  stack: {stack} bytes"
        if stack is not None
        else "  stack: it grows downwards, which is not counted",
    ]
    row: list[str] = []
    for name in NAMES:
        value = report["registers"][name]
        if value or name in ("sp", "lr"):
            row.append(f"{name}=0x{value:x}")
        if len(row) == 8:
            lines.append("  " + " ".join(row))
            row = []
    if row:
        lines.append("  " + " ".join(row))
    lines += [f"  {name}={data}" for name, data in report["vectors"].items() if data.strip("0")]
    return "\n".join(lines)
