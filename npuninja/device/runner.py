"""`npuninja run`: loads a built design on a device, runs it, compares with its reference, measures.

Nothing is taken on trust: the files are those of the manifest's hashes, outputs are poisoned before the run,
and all their bytes are compared. A device that says "completed" has proved nothing yet.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from npuninja.device.api import Capabilities, Device
from npuninja.device.bare_run import is_xclbin
from npuninja.device.choice import DEVICES, choose
from npuninja.device.comparison import Comparison, Tolerance, poison
from npuninja.device.idle_gaps import IdleGaps
from npuninja.device.manifest import Argument, Manifest, read_runs, select_runs
from npuninja.device.memory_limit import RUN_LIMIT_BYTES, add_memory_limit
from npuninja.device.program import program_of
from npuninja.device.progress import Progress
from npuninja.device.result_check import compare_bytes
from npuninja.device.source_paths import locate, reference_source, with_warnings
from npuninja.device.timing import Timing, timing_of
from npuninja.device.vectors import Vectors, make_vectors, read_vectors
from npuninja.errors import INTERRUPTED, DeviceError, Error, UserError, WrongResult

MOST_IN_FLIGHT = 64  # each takes buffers of its own, and an NPU's queue is not long


#: What `--check NAME` looks for, in words.
_CHECKED = {"races": "races", "memory": "wrong accesses to memory"}


class Outcome(NamedTuple):
    """What a run gave. `comparisons` is None without --verify."""

    manifest: Manifest
    capabilities: Capabilities
    reason: str
    inputs_from: str
    comparisons: tuple[Comparison, ...] | None
    timing: Timing
    in_flight: int
    way: str
    remarks: list[str]
    report: dict[str, Any] | None
    checks: list[str]
    findings: list[Error]

    @property
    def wrong(self) -> list[Comparison]:
        """The outputs that differ from the reference."""
        return [c for c in self.comparisons or () if not c.good]

    def fields(self) -> dict[str, Any]:
        """The outcome for --json."""
        return {
            "design": self.manifest.design,
            "build_id": self.manifest.build_id,
            "device": self.capabilities.name,
            "reason": self.reason,
            "inputs": self.inputs_from,
            "verified": None if self.comparisons is None else not self.wrong,
            "outputs": [c.fields() for c in self.comparisons or ()],
            "times": self.timing.fields(),
            "in_flight": {"runs": self.in_flight, "way": self.way},
            "remarks": self.remarks,
            "report": self.report,
            "checks": self.checks,
            "findings": [_error_fields(finding) for finding in self.findings],
        }

    def render(self, brief: bool = False) -> str:
        """The outcome for people, after the lines that were printed before the run."""
        lines = [finding.render() for finding in self.findings]
        if self.checks and not self.findings:
            lines.append(f"checked for {' and '.join(map(_CHECKED.__getitem__, self.checks))}: nothing found")
        lines += [c.render() for c in self.comparisons or ()]
        if self.comparisons is None:
            why = (
                "--verify was not given"
                if self.manifest.reference
                else f"there is no host/{self.manifest.design}.py"
            )
            lines.append(f"not verified: nothing was compared, since {why}")
        elif not self.comparisons:
            lines.append("not verified: the design has no output")
        lines += [f"warning: {remark}" for remark in self.remarks]
        if self.in_flight > 1:
            lines.append(
                f"{self.in_flight} runs at once ({self.way}); times are those of all, divided by {self.in_flight}"
            )
        moved = sum(_moved_bytes(a) for a in self.manifest.arguments)
        return "\n".join([*lines, self.timing.render(moved, brief)])


def main(arguments: list[str]) -> int:
    """Runs the command line of `npuninja run`; returns the exit code."""
    if any(is_xclbin(word) for word in arguments if not word.startswith("-")):
        from npuninja.device import bare_run

        return bare_run.main(arguments)
    options = _parser().parse_args(arguments)
    code, results = 0, []
    try:
        runs = select_runs(read_runs(options.manifest), options.kernel, options.sequence)
        if len(runs) > 1 and (options.input or options.output):
            raise UserError(
                f"--input and --output go with one run, and {runs[0].design} has {len(runs)}",
                hint=f"choose one, as in --kernel {runs[0].kernel} --sequence {runs[0].sequence}",
            )
        for run, vectors in zip(runs, _given_vectors(runs, options)):
            of_this, fields = _one(run, vectors, options)
            code = code or of_this
            results.append({"kernel": run.kernel, "sequence": run.sequence, **fields})
    except Error as error:
        print(error.render(), file=sys.stderr)
        code, results = error.exit_code, [_error_fields(error)]
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    if options.json and len(results) > 1:
        worst = next(result for result in results if not code or result["exit_code"])
        print(json.dumps({"status": worst["status"], "exit_code": code, "runs": results}))
    elif options.json:
        print(json.dumps(results[0]))
    return code


def _given_vectors(runs: Sequence[Manifest], options: argparse.Namespace) -> Sequence[tuple[str, str] | None]:
    """The files of `--vectors` of each run, which are given for all of them in order, or for none."""
    if not options.vectors:
        return [None] * len(runs)
    if len(options.vectors) != len(runs):
        raise UserError(f"--vectors is given {len(options.vectors)} times, and there are {len(runs)} runs")
    return [(inputs, expected) for inputs, expected in options.vectors]


def _one(
    manifest: Manifest, vectors: tuple[str, str] | None, options: argparse.Namespace
) -> tuple[int, dict[str, Any]]:
    """One runtime sequence: the exit code, and the fields for --json."""
    fields: dict[str, Any] = {}
    try:
        outcome, fields = _run(manifest, vectors, options)
        if outcome.findings:
            count = len(outcome.findings)
            raise WrongResult(
                f"{manifest.label}: the checks found {count} {'fault' if count == 1 else 'faults'}"
                + (", and the result is wrong" if outcome.wrong else ""),
                hint="docs/checks.md explains them; on an NPU the result may be right today and wrong tomorrow",
            )
        if outcome.wrong:
            names = ", ".join(c.argument.name for c in outcome.wrong)
            raise WrongResult(
                f"{manifest.label}: the result is wrong in {names}",
                hint=f"the inputs were {outcome.inputs_from}",
            )
    except Error as error:
        print(error.render(), file=sys.stderr)
        return error.exit_code, fields or _error_fields(error)
    return 0, fields


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="npuninja run",
        description="Runs a built design on a device.",
        epilog="Exit codes: 0 good, 1 the result is wrong, 2 wrong input, 3 a tool failed, 4 the device failed, "
        "77 no device of the required kind, 70 a bug of npuninja.",
    )
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
        help="with --verify: what the reference gave for this seed, as the build keeps it, instead of asking it again",
    )
    parser.add_argument(
        "--check",
        type=_checks,
        action="extend",
        default=[],
        metavar="NAME[,NAME]",
        help="on the emulated array: look for `races` (accesses that nothing orders) and wrong accesses to `memory`",
    )
    parser.add_argument(
        "--schedules",
        type=_count,
        default=0,
        metavar="N",
        help="on the emulated array: run in N more orders of turns, speeds and latencies, drawn from --seed, and compare",
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
    parser.add_argument(
        "--time-limit", type=_seconds, default=10.0, metavar="S", help="seconds for one run (default 10)"
    )
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
    return parser


def _checks(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in _CHECKED:
            raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(_CHECKED)}")
    return names


def _findings(device: Device, manifest: Manifest) -> list[Error]:
    """What the device's checks found in the last run, with the places of files that are there."""
    from npuninja.device.emulated import EmulatedDevice

    found = device.findings() if isinstance(device, EmulatedDevice) else []
    for finding in found:
        locate(finding, manifest)
    return found


def _keep_kernel_output(device: Device, wanted: bool) -> None:
    from npuninja.device.emulated import EmulatedDevice

    if isinstance(device, EmulatedDevice):
        device.keep_kernel_output = wanted
    elif wanted:
        raise UserError("--kernel-output is for the emulated array: an NPU prints nowhere")


def _limit_memory(device: Device, limit_bytes: int) -> None:
    from npuninja.device.emulated import EmulatedDevice

    if isinstance(device, EmulatedDevice):
        device.memory_limit_bytes = limit_bytes


def _kernel_output(device: Device, options: argparse.Namespace) -> dict[str, Any]:
    """Shows what kernels printed; for JSON the field that has it."""
    from npuninja.device.emulated import EmulatedDevice

    if not options.kernel_output or not isinstance(device, EmulatedDevice):
        return {}
    lines = device.kernel_output()
    if not options.json:
        for column, row, text in lines:
            print(f"core ({column}, {row}): {text}")
    return {"kernel_output": [list(line) for line in lines]}


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def _in_flight(text: str) -> int:
    value = int(text)
    if not 1 <= value <= MOST_IN_FLIGHT:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to {MOST_IN_FLIGHT}")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no time above zero")
    return value


def _error_fields(error: Error) -> dict[str, Any]:
    return {
        "status": "error",
        "exit_code": error.exit_code,
        "message": error.message,
        "location": str(error.location) if error.location else None,
        "hint": error.hint,
        "notes": [f"{location}: {text}" if location else text for text, location in error.notes],
        "report": getattr(error, "report", None),
    }


def _run(
    manifest: Manifest, given: tuple[str, str] | None, options: argparse.Namespace
) -> tuple[Outcome, dict[str, Any]]:
    """Everything from the manifest to the outcome, which is printed; and the fields for --json."""
    if options.require_reference and manifest.reference is None:
        raise UserError(
            f"{manifest.design} is not verified: there is no host/{manifest.design}.py",
            hint="write one (see host/README.md): inputs(rng, arguments) and reference(inputs)",
        )
    if options.seeds > 1 and (options.input or not options.verify):
        raise UserError("--seeds goes with --verify, and not with --input")
    vectors = _vectors(manifest, given, options)
    checks = frozenset(options.check)
    if (options.schedules or options.schedule) and (options.device == "npu" or options.require == "npu"):
        raise UserError(
            "--schedules needs the emulated array: an NPU takes one order, and does not say which"
        )
    device, reason = choose(manifest, options.device, options.require, checks)
    capabilities = device.capabilities
    if not options.json:
        print(f"{manifest.label} on {capabilities.name} ({reason}): {capabilities.description}")
        if manifest.untried:
            print(f"cores: made by {manifest.untried}")
        if options.verify and manifest.reference:
            print(f"reference: {os.path.relpath(reference_source(manifest) or manifest.reference)}")
        print(f"inputs: {vectors.source}", flush=True)
    _keep_kernel_output(device, options.kernel_output)
    _limit_memory(device, options.memory_limit)
    try:
        device.load(program_of(manifest))
        inputs_of_first = vectors.inputs
        session = _Session(device, manifest, vectors.inputs, options.in_flight)
        with Progress(f"running {manifest.design}", 1 + options.bench) as progress:
            times = [session.run(options.time_limit)]
            progress.step()
            first = last = session.results()
            for _ in range(options.bench):
                times.append(session.run(options.time_limit))
                progress.step()
            if options.bench:
                last = session.results()
        # After all runs, because an NPU goes to sleep meanwhile. The last run must be as right as the first.
        comparisons = _compared(manifest, first, vectors.expected)
        if options.bench and all(c.good for c in comparisons or ()):
            comparisons = _compared(manifest, last, vectors.expected)
        for seed in range(options.seed + 1, options.seed + options.seeds):
            if not all(c.good for c in comparisons or ()):
                break
            vectors = make_vectors(manifest, [], True, seed)
            session = _Session(device, manifest, vectors.inputs, 1)
            times.append(session.run(options.time_limit))
            last = session.results()
            comparisons = _compared(manifest, last, vectors.expected)
        if options.output:
            from npuninja.device.arrays import write_outputs

            write_outputs(
                options.output, manifest, [a.array(data) for a, data in zip(manifest.outputs, last[0])]
            )
        remarks, report = device.remarks() + session.remarks(), device.report()
        findings = _findings(device, manifest)
        if options.schedules or options.schedule:
            from npuninja.device.schedules import explore

            explored = explore(manifest, inputs_of_first, first[0], options)
            if not options.json:
                print(explored, flush=True)
    except DeviceError as error:
        locate(error, manifest)
        if type(error).__name__ == "Deadlock":  # its class would load the emulator
            with_warnings(error, manifest)
        for finding in _findings(device, manifest):
            print(finding.render(), file=sys.stderr)
        raise
    finally:
        printed = _kernel_output(device, options)
        device.close()
    if options.seeds > 1 and all(c.good for c in comparisons or ()):
        seeds = f"made by the reference, seeds {options.seed} to {options.seed + options.seeds - 1}"
        vectors = vectors._replace(source=seeds)
        if not options.json:
            print(f"inputs of further runs: {seeds}")
    timing = timing_of(capabilities, times)
    flight = options.in_flight, session.way
    outcome = Outcome(
        manifest,
        capabilities,
        reason,
        vectors.source,
        comparisons,
        timing,
        *flight,
        remarks,
        report,
        options.check,
        findings,
    )
    bad = outcome.wrong or outcome.findings
    status, code = ("wrong", WrongResult.exit_code) if bad else ("ok", 0)
    if not options.json:
        print(outcome.render(brief=options.brief), flush=True)
    return outcome, {"status": status, "exit_code": code, **outcome.fields(), **printed}


def _vectors(manifest: Manifest, given: tuple[str, str] | None, options: argparse.Namespace) -> Vectors:
    """Inputs and expected outputs as the options want them; `given` are the files of --vectors."""
    if given:
        if options.input or not options.verify:
            raise UserError("--vectors goes with --verify, and not with --input")
        return read_vectors(*given, manifest, options.seed)
    return make_vectors(manifest, options.input, options.verify, options.seed)


def _moved_bytes(argument: Argument) -> int:
    return argument.nbytes * (argument.is_input + argument.is_output)


class _Session:
    """A loaded design with its buffers, run with the same inputs again and again.

    Args:
        device: which has it.
        manifest: of the design.
        inputs: of each run.
        in_flight: how many runs are started at once, each with buffers of its own.

    Attributes:
        way: how the device took the last ones.
    """

    def __init__(self, device: Device, manifest: Manifest, inputs: list[bytes], in_flight: int) -> None:
        self._device = device
        self._arguments = manifest.arguments
        self._buffers = [
            [device.allocate(a.nbytes, i) for i, a in enumerate(manifest.arguments)] for _ in range(in_flight)
        ]
        # What every buffer holds before a run: its input, or poison.
        remaining = iter(inputs)
        self._before = [
            next(remaining) if a.is_input else poison(a.nbytes) if a.is_output else bytes(a.nbytes)
            for a in manifest.arguments
        ]
        self._gaps = IdleGaps()
        self.way = ""

    def run(self, time_limit_s: float) -> float:
        """Runs once, or as many times at once as are in flight; returns the seconds the device took for each.

        Args:
            time_limit_s: for each.
        """
        for buffers in self._buffers:
            for buffer, content in zip(buffers, self._before):
                buffer.view[:] = content
        self._gaps.starts()
        started = self._device.start(self._buffers)
        self.way = started.way
        seconds = self._device.wait(started, time_limit_s * len(self._buffers))
        self._gaps.ended()
        return seconds / len(self._buffers)

    def results(self) -> list[list[bytes]]:
        """Copies of the outputs of each run in flight, as the last ones left them."""
        return [
            [bytes(buffer.view) for a, buffer in zip(self._arguments, buffers) if a.is_output]
            for buffers in self._buffers
        ]

    def remarks(self) -> list[str]:
        """What the user should know about the measurement."""
        # Only an NPU goes to sleep.
        remark = self._gaps.remark() if self._device.capabilities.timing == "measured" else None
        return [remark] if remark else []


def _compared(
    manifest: Manifest, results: list[list[bytes]], expected: list[bytes] | None
) -> tuple[Comparison, ...] | None:
    """The outputs against the reference's, those of the first run that is wrong; or None when there is no
    reference.
    """
    if expected is None:
        return None

    @functools.cache
    def tolerances() -> list[Tolerance]:
        source = reference_source(manifest)
        if source is None:
            return [Tolerance()] * len(manifest.outputs)
        from npuninja.device.reference import Reference  # NumPy, and the reference's own imports

        return Reference(source, manifest.kernel, manifest.sequence).tolerances(manifest.outputs)

    def tolerance(number: int) -> Tolerance:
        return tolerances()[number]

    comparisons: tuple[Comparison, ...] = ()
    for of_one_run in results:
        comparisons = tuple(
            compare_bytes(argument, got, right, not argument.is_input, functools.partial(tolerance, number))
            for number, (argument, got, right) in enumerate(zip(manifest.outputs, of_one_run, expected))
        )
        if not all(c.good for c in comparisons):
            break
    return comparisons
