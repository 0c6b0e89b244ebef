"""The command line of `npuninja run`."""

from __future__ import annotations

import argparse

from npuninja.argument_parser import VerbParser
from npuninja.device.choice import DEVICES
from npuninja.device.memory_limit import RUN_LIMIT_BYTES, add_memory_limit

MOST_IN_FLIGHT = 64  # each takes buffers of its own, and an NPU's queue is not long

_MOST_DIGITS = 18
#: What `--check NAME` looks for, in words.
CHECKED = {"races": "races", "memory": "wrong accesses to memory"}


def run_parser() -> VerbParser:
    """The options of `npuninja run NAME.json`."""
    parser = VerbParser(
        prog="npuninja run",
        description="Runs a built design on a device.",
        epilog="Exit codes: 0 good, 1 the result is wrong, 2 wrong input, 3 a tool failed, 4 the device "
        "failed, 77 no device of the required kind, 70 a bug of npuninja.",
    )
    _add_place(parser)
    _add_data(parser)
    _add_runs(parser)
    return parser


def _add_place(parser: VerbParser) -> None:
    """Adds the arguments that say what runs and on which device."""
    parser.add_argument("manifest", help="the .json beside the design's .xclbin")
    parser.add_argument(
        "--device",
        choices=DEVICES,
        default="auto",
        help="where to run; auto takes what the design was built for (default)",
    )
    parser.add_argument(
        "--require", choices=("npu", "emu"), help="fail with exit code 77 unless it runs on this"
    )
    parser.add_argument("--kernel", metavar="K", help="of a design with several kernels, only this one")
    parser.add_argument(
        "--sequence", metavar="S", help="of a design with several runtime sequences, only this one"
    )
    parser.add_argument(
        "--runlist",
        action="store_true",
        help="give all of them to the device at once, in their order, instead of one after the other",
    )
    parser.add_argument(
        "--order",
        metavar="K[:S],…",
        help="with --runlist: which kernels and sequences, in which order; one may come several times",
    )


def _add_data(parser: VerbParser) -> None:
    """What goes in and out, and what it is compared with."""
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="[NAME=]FILE",
        help="data for an input: .npy, or raw bytes; repeat",
    )
    parser.add_argument(
        "--output",
        action="append",
        default=[],
        metavar="[NAME=]FILE",
        help="where an output goes: .npy, or raw bytes; repeat",
    )
    parser.add_argument(
        "--verify", action="store_true", help="compare all bytes with the design's NumPy reference"
    )
    parser.add_argument(
        "--vectors",
        nargs=2,
        action="append",
        metavar=("INPUTS", "EXPECTED"),
        help="with --verify: what the reference gave for this seed, as the build keeps it, instead of "
        "asking it again; a name that begins with {}/ lies beside the manifest",
    )


def _add_runs(parser: VerbParser) -> None:
    """How often it runs, what is checked, and what is said of it."""
    add_checks(parser)
    parser.add_argument(
        "--schedules",
        type=_count,
        default=0,
        metavar="N",
        help="on the emulated array: run in N more orders of turns, speeds and latencies, "
        "drawn from --seed, and compare",
    )
    parser.add_argument(
        "--schedule",
        type=_count,
        default=0,
        metavar="K",
        help="only the Kth of them, to repeat what was found in it",
    )
    parser.add_argument(
        "--bench", type=_count, default=0, metavar="N", help="run N times more and give the times"
    )
    parser.add_argument(
        "--in-flight",
        type=_in_flight,
        default=1,
        metavar="N",
        help="give N runs to the device at once, with buffers each",
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object on standard output instead of text"
    )
    add_time_limit(parser)
    add_memory_limit(parser, RUN_LIMIT_BYTES)
    parser.add_argument(
        "--seed", type=_count, default=1, metavar="N", help="of the random inputs (default 1)"
    )
    parser.add_argument(
        "--seeds",
        type=_count,
        default=1,
        metavar="N",
        help="with --verify: N runs, with a seed each, from --seed on",
    )
    parser.add_argument(
        "--require-reference", action="store_true", help="a design without a NumPy reference is an error"
    )
    parser.add_argument(
        "--kernel-output", action="store_true", help="show what kernels print (emulated cores only)"
    )
    parser.add_argument("--brief", action="store_true", help="leave out what holds for every emulated run")


#: Seconds for one run when nothing is said, and for one that is checked, which may take three times as long.
TIME_LIMIT_S, CHECKED_TIME_LIMIT_S = 10.0, 30.0


def add_time_limit(parser: argparse.ArgumentParser) -> None:
    """Adds `--time-limit`; `with_time_limit` gives it a value when it is not said."""
    parser.add_argument(
        "--time-limit",
        type=seconds,
        metavar="S",
        help=f"seconds for one run (default {TIME_LIMIT_S:g}, with --check {CHECKED_TIME_LIMIT_S:g})",
    )


def with_time_limit(options: argparse.Namespace) -> argparse.Namespace:
    """The options with a time limit."""
    if options.time_limit is None:
        options.time_limit = CHECKED_TIME_LIMIT_S if getattr(options, "check", ()) else TIME_LIMIT_S
    return options


def add_checks(parser: argparse.ArgumentParser) -> None:
    """The option `--check`: a list of names, empty without it."""
    parser.add_argument(
        "--check",
        type=_checks,
        action="extend",
        default=[],
        metavar="NAME[,NAME]",
        help="on the emulated array: look for `races` (accesses that nothing orders) and wrong accesses "
        "to `memory`",
    )


def _checks(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in CHECKED:
            raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(CHECKED)}")
    return names


def _number(text: str) -> int:
    if not text.removeprefix("-").isdecimal() or len(text) > _MOST_DIGITS:
        raise argparse.ArgumentTypeError(f"'{text[:40]}' is no number of at most {_MOST_DIGITS} digits")
    return int(text)


def _count(text: str) -> int:
    value = _number(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def _in_flight(text: str) -> int:
    value = _number(text)
    if not 1 <= value <= MOST_IN_FLIGHT:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to {MOST_IN_FLIGHT}")
    return value


def seconds(text: str) -> float:
    """A time limit as an option has it. Raises ArgumentTypeError."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no time above zero")
    return value
