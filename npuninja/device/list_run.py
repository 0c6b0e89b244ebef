"""`npuninja run NAME.json --runlist`: several kernels and sequences at once on a device, each verified."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from typing import Any

from npuninja.device.api import Device
from npuninja.device.choice import choose, limit_memory
from npuninja.device.manifest import Manifest, select_runs
from npuninja.device.output_comparison import OutputComparison
from npuninja.device.program import program_of
from npuninja.device.result_check import compared
from npuninja.device.run_session import before_run, outputs_of
from npuninja.device.source_paths import locate, print_reference
from npuninja.device.timing import timing_of
from npuninja.device.vectors import Vectors, make_vectors
from npuninja.errors import DeviceError, UserError, WrongResult
from npuninja.records import NamedTuple

#: Options that mean one run, or several of the same.
_OF_ONE_RUN = ("input", "output", "vectors", "schedules", "schedule", "check", "kernel_output")


class _ListOutcome(NamedTuple):
    """All runs of a list: seconds of each, how the device took it, comparisons (None: not verified)."""

    times_s: list[float]
    way: str
    results: Sequence[tuple[Manifest, tuple[OutputComparison, ...] | None]]
    remarks: list[str]


def run_list(runs: Sequence[Manifest], options: argparse.Namespace) -> int:
    """Runs a design's sequences as one list, `1 + --bench` times, and compares the outputs of the first and
    the last time; returns the exit code.

    Raises:
        Error: as `npuninja run`.
    """
    _refuse(options)
    runs = ordered(runs, options.order) if options.order else runs
    first = runs[0]
    vectors = [make_vectors(run, [], options.verify, options.seed) for run in runs]
    device, reason = choose(first, options.device, options.require)
    name = device.capabilities.name
    if not options.json:
        print(f"runlist of {len(runs)} on {name} ({reason}): {device.capabilities.description}")
        print(", ".join(run.label for run in runs))
        print_reference(first, options)
    limit_memory(device, options.memory_limit)
    try:
        done = _run_all(device, runs, vectors, options)
    except DeviceError as error:
        locate(error, first)
        raise
    finally:
        device.close()
    timing = timing_of(device.capabilities, done.times_s)
    if options.json:
        print(json.dumps(_fields(done, name, reason, timing.fields())))
    else:
        print("\n".join(_lines(done)))
        print(timing.render(sum(run.moved_bytes for run in runs), options.brief), flush=True)
    bad = [run.label for run, found in done.results if _differs(found)]
    if bad:
        raise WrongResult(
            f"the result is wrong in {', '.join(bad)}", hint=f"the inputs were {vectors[0].source}"
        )
    return 0


def _refuse(options: argparse.Namespace) -> None:
    """Raises UserError for options that mean one run."""
    for name in _OF_ONE_RUN:
        if getattr(options, name):
            option = name.replace("_", "-")
            raise UserError(f"--{option} does not go with --runlist", hint="run them one by one for that")
    if options.in_flight > 1 or options.seeds > 1:
        raise UserError("--in-flight and --seeds do not go with --runlist", hint="--order repeats a run")
    if options.order and not options.runlist:
        raise UserError("--order goes with --runlist")


def _run_all(
    device: Device, runs: Sequence[Manifest], vectors: Sequence[Vectors], options: argparse.Namespace
) -> _ListOutcome:
    numbers = _load(device, runs)
    contents = [before_run(run, of_it.inputs) for run, of_it in zip(runs, vectors)]
    buffers = [[device.allocate(a.nbytes, place) for place, a in enumerate(run.arguments)] for run in runs]
    times, way = [], ""
    results: list[tuple[Manifest, tuple[OutputComparison, ...] | None]] = []
    for turn in range(1 + options.bench):
        for of_run, before in zip(buffers, contents):
            for buffer, content in zip(of_run, before):
                buffer.view[:] = content
        started = device.start(buffers, numbers)
        way = started.way
        times.append(device.wait(started, options.time_limit * len(runs)))
        if turn in (0, options.bench) and not any(_differs(found) for _, found in results):
            results = [
                (run, compared(run, [outputs_of(run, of_run)], of_it.expected))
                for run, of_run, of_it in zip(runs, buffers, vectors)
            ]
    return _ListOutcome(times, way, results, device.remarks())


def ordered(runs: Sequence[Manifest], words: str) -> tuple[Manifest, ...]:
    """The runs that `K[:S],…` names, in its order. UserError when no run has a name."""
    found: list[Manifest] = []
    for word in words.split(","):
        kernel, _, sequence = word.partition(":")
        found += select_runs(tuple(runs), kernel or None, sequence or None)
    return tuple(found)


def _load(device: Device, runs: Sequence[Manifest]) -> list[int]:
    """Each run's number for `Device.start`; equal ones share it."""
    known: dict[tuple[str, str], int] = {}
    for run in runs:
        key = run.kernel, run.insts
        if not known:
            device.load(program_of(run))
            known[key] = 0
        elif key not in known:
            known[key] = device.add(program_of(run))
    return [known[run.kernel, run.insts] for run in runs]


def _differs(found: tuple[OutputComparison, ...] | None) -> bool:
    return any(not c.good for c in found or ())


def _lines(done: _ListOutcome) -> Iterator[str]:
    for run, found in done.results:
        for line in [c.render() for c in found or ()] or ["not verified: nothing was compared"]:
            yield f"{run.label}: {line}"
    for remark in done.remarks:
        yield f"warning: {remark}"


def _fields(done: _ListOutcome, device: str, reason: str, times: dict[str, Any]) -> dict[str, Any]:
    bad = any(_differs(found) for _, found in done.results)
    return {
        "status": "wrong" if bad else "ok",
        "exit_code": WrongResult.exit_code if bad else 0,
        "design": done.results[0][0].design,
        "device": device,
        "reason": reason,
        "way": done.way,
        "times": times,
        "remarks": done.remarks,
        "runs": [
            {
                "kernel": run.kernel,
                "sequence": run.sequence,
                "verified": None if found is None else not _differs(found),
                "outputs": [c.fields() for c in found or ()],
            }
            for run, found in done.results
        ],
    }
