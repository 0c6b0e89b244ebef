"""`npuninja model`: how long a built design would take on an NPU, modelled."""

from __future__ import annotations

import argparse
import json
import math

from npuninja.argument_parser import VerbParser
from npuninja.configure.built import meant_manifest
from npuninja.device.manifest import Manifest, read_runs, select_runs
from npuninja.device.vectors import make_vectors
from npuninja.errors import UserError

DEFAULT_CLOCKS_GHZ = (1.0, 1.3)


def main(arguments: list[str]) -> int:
    """Runs `npuninja model`; returns its exit code."""
    options = _parser().parse_args(arguments)
    runs = read_runs(meant_manifest(options.manifest))
    manifest = select_runs(runs, options.kernel, options.sequence)[0]
    if manifest.core_kind not in ("wasm", "aie2"):
        raise UserError(
            f"the design was built for {manifest.core_kind} cores, "
            "and the model counts what wasm and aie2 cores do",
            hint="build it with the core kind wasm as well",
        )
    content = content_of(manifest, options)
    from npuninja.emulator.timing import count_work, render, time_work  # wasmtime takes 50 ms

    work = count_work(
        manifest.read(manifest.xclbin),
        manifest.read(manifest.insts),
        content,
        kernel=manifest.kernel,
        name=manifest.xclbin,
        time_limit_s=options.time_limit,
    )
    clocks = options.clock or DEFAULT_CLOCKS_GHZ
    reports = [
        time_work(work, clock_hz=ghz * 1e9, elements=options.elements, unit=options.unit) for ghz in clocks
    ]
    if options.json:
        print(
            json.dumps(
                {
                    "design": manifest.design,
                    "device": manifest.device,
                    "models": [r.to_json() for r in reports],
                }
            )
        )
    else:
        print(render(f"{manifest.design} ({manifest.device})", reports))
    return 0


def _parser() -> VerbParser:
    parser = VerbParser(
        prog="npuninja model",
        description="Says how long a run of a built design would take on an NPU: modelled from what it does "
        "on the emulated array, with an optimistic, a middle and a pessimistic figure; what "
        "cores of machine code issue is exact. docs/timing-model.md says how.",
    )
    parser.add_argument(
        "manifest", help="a design of the project here, or the .json beside a built design's .xclbin"
    )
    parser.add_argument("--kernel", metavar="K", help="of a design with several kernels")
    parser.add_argument("--sequence", metavar="S", help="of a design with several runtime sequences")
    parser.add_argument(
        "--clock",
        type=_positive,
        action="append",
        metavar="GHZ",
        help="the array's clock; repeat (default 1.0 and 1.3)",
    )
    parser.add_argument(
        "--elements",
        type=_count,
        metavar="N",
        help="elements of a run (default: objects that the cores send out)",
    )
    parser.add_argument(
        "--unit",
        default="element",
        metavar="WORD",
        help="what an element is called: frame, … (default element)",
    )
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="[NAME=]FILE",
        help="data for an input: .npy, or raw bytes; repeat",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the random inputs (default 1)")
    parser.add_argument(
        "--time-limit",
        type=_positive,
        default=120.0,
        metavar="S",
        help="seconds of the emulation (default 120)",
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object with all of the arithmetic instead of text"
    )
    return parser


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive whole number")
    return int(text)


def content_of(manifest: Manifest, options: argparse.Namespace) -> list[bytes]:
    """What each argument holds before the run."""
    return manifest.content(make_vectors(manifest, options.input, False, options.seed).inputs)
