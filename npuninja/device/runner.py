"""`npuninja run`: loads a built design on a device, runs it, compares with its reference, measures.

Nothing is taken on trust: the files are those of the manifest's hashes, outputs are poisoned before the run,
and all their bytes are compared. A device that says "completed" has proved nothing yet.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from npuninja.device.api import Device
from npuninja.device.bare_run import beginning_of, is_xclbin
from npuninja.device.choice import choose, limit_memory
from npuninja.device.manifest import Manifest, read_runs, select_runs
from npuninja.device.output_comparison import OutputComparison
from npuninja.device.program import program_of
from npuninja.device.progress import Progress
from npuninja.device.result_check import compared
from npuninja.device.run_options import run_parser, with_time_limit
from npuninja.device.run_outcome import RunOutcome, error_fields
from npuninja.device.run_session import Session
from npuninja.device.source_paths import locate, print_reference, with_warnings
from npuninja.device.timing import timing_of
from npuninja.device.vectors import Vectors, make_vectors, read_vectors
from npuninja.errors import INTERRUPTED, DeviceError, Error, UserError, WrongResult
from npuninja.file_kinds import ELF_MAGIC
from npuninja.records import NamedTuple


def main(arguments: list[str]) -> int:
    """Runs the command line of `npuninja run`; returns the exit code."""
    files = [word for word in arguments if not word.startswith("-")]
    if any(is_xclbin(file) for file in files):
        from npuninja.device import bare_run

        return bare_run.main(arguments)
    if any(beginning_of(file, len(ELF_MAGIC)) == ELF_MAGIC for file in files):
        from npuninja.device import full_elf_run

        return full_elf_run.main(arguments)
    options = with_time_limit(run_parser().parse_args(arguments))
    code, results = 0, []
    try:
        runs = select_runs(read_runs(options.manifest), options.kernel, options.sequence)
        if options.runlist or options.order:
            from npuninja.device.list_run import run_list

            return run_list(runs, options)
        for run, vectors in zip(runs, _given_vectors(runs, options)):
            of_this, fields = _one(run, vectors, options)
            code = code or of_this
            results.append({"kernel": run.kernel, "sequence": run.sequence, **fields})
    except Error as error:
        print(error.render(), file=sys.stderr)
        code, results = error.exit_code, [error_fields(error)]
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    if options.json:
        print(json.dumps(results[0] if len(results) == 1 else _together(code, results)))
    return code


def _together(code: int, results: list[dict[str, Any]]) -> dict[str, Any]:
    """What JSON says of several runs."""
    worst = next(result for result in results if not code or result["exit_code"])
    return {"status": worst["status"], "exit_code": code, "runs": results}


def _given_vectors(runs: Sequence[Manifest], options: argparse.Namespace) -> Sequence[tuple[str, str] | None]:
    """The files of `--vectors` of each run, given for all of them in order or for none. Raises UserError."""
    if len(runs) > 1 and (options.input or options.output):
        raise UserError(
            f"--input and --output go with one run, and {runs[0].design} has {len(runs)}",
            hint=f"choose one, as in --kernel {runs[0].kernel} --sequence {runs[0].sequence}",
        )
    if not options.vectors:
        return [None] * len(runs)
    if len(options.vectors) != len(runs):
        raise UserError(f"--vectors is given {len(options.vectors)} times, and there are {len(runs)} runs")
    pairs = [
        [
            os.path.join(os.path.dirname(run.path), name[3:]) if name.startswith("{}/") else name
            for name in pair
        ]
        for run, pair in zip(runs, options.vectors)
    ]
    return [(inputs, expected) for inputs, expected in pairs]


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
                hint="docs/checks.md explains them; "
                "on an NPU the result may be right today and wrong tomorrow",
            )
        if outcome.wrong:
            names = ", ".join(c.argument.name for c in outcome.wrong)
            raise WrongResult(
                f"{manifest.label}: the result is wrong in {names}",
                hint=f"the inputs were {outcome.inputs_from}",
            )
    except Error as error:
        print(error.render(), file=sys.stderr)
        return error.exit_code, fields or error_fields(error)
    return 0, fields


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


def _refuse(manifest: Manifest, options: argparse.Namespace) -> None:
    """Raises UserError for options that do not go together, or not with this design."""
    if options.require_reference and manifest.reference is None:
        raise UserError(
            f"{manifest.design} is not verified: there is no host/{manifest.design}.py",
            hint="write one (see host/README.md): inputs(rng, arguments) and reference(inputs)",
        )
    if options.seeds > 1 and (options.input or not options.verify):
        raise UserError("--seeds goes with --verify, and not with --input")
    if (options.schedules or options.schedule) and (options.device == "npu" or options.require == "npu"):
        raise UserError(
            "--schedules needs the emulated array: an NPU takes one order, and does not say which"
        )


class _Runs(NamedTuple):
    """All runs: the last session, seconds of each, outputs of the first and the last, the comparisons."""

    session: Session
    times: list[float]
    first: list[list[bytes]]
    last: list[list[bytes]]
    comparisons: tuple[OutputComparison, ...] | None

    @property
    def good(self) -> bool:
        """Whether no output that was compared is wrong."""
        return all(c.good for c in self.comparisons or ())


def _all_runs(device: Device, manifest: Manifest, vectors: Vectors, options: argparse.Namespace) -> _Runs:
    """The run, those of --bench, and those with further seeds until one is wrong."""
    session = Session(device, manifest, vectors.inputs, options.in_flight)
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
    done = _Runs(session, times, first, last, compared(manifest, first, vectors.expected))
    if options.bench and done.good:
        done = done._replace(comparisons=compared(manifest, last, vectors.expected))
    for seed in range(options.seed + 1, options.seed + options.seeds):
        if not done.good:
            break
        vectors = make_vectors(manifest, [], True, seed)
        session = Session(device, manifest, vectors.inputs, 1)
        times.append(session.run(options.time_limit))
        last = session.results()
        done = _Runs(session, times, first, last, compared(manifest, last, vectors.expected))
    return done


def _run(
    manifest: Manifest, given: tuple[str, str] | None, options: argparse.Namespace
) -> tuple[RunOutcome, dict[str, Any]]:
    """Everything from the manifest to the outcome, which is printed; and the fields for --json."""
    _refuse(manifest, options)
    vectors = _vectors(manifest, given, options)
    device, reason = choose(manifest, options.device, options.require, frozenset(options.check))
    capabilities = device.capabilities
    if not options.json:
        print(f"{manifest.label} on {capabilities.name} ({reason}): {capabilities.description}")
        if manifest.untried:
            print(f"cores: made by {manifest.untried}")
        print_reference(manifest, options)
        print(f"inputs: {vectors.source}", flush=True)
    _keep_kernel_output(device, options.kernel_output)
    limit_memory(device, options.memory_limit)
    try:
        device.load(program_of(manifest))
        done = _all_runs(device, manifest, vectors, options)
        remarks, report, findings = _afterwards(device, manifest, vectors, done, options)
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
    source = vectors.source
    if options.seeds > 1 and done.good:
        source = f"made by the reference, seeds {options.seed} to {options.seed + options.seeds - 1}"
        if not options.json:
            print(f"inputs of further runs: {source}")
    outcome = RunOutcome(
        manifest=manifest,
        capabilities=capabilities,
        reason=reason,
        inputs_from=source,
        comparisons=done.comparisons,
        timing=timing_of(capabilities, done.times),
        in_flight=options.in_flight,
        way=done.session.way,
        remarks=remarks,
        report=report,
        checks=options.check,
        findings=findings,
    )
    bad = outcome.wrong or outcome.findings
    status, code = ("wrong", WrongResult.exit_code) if bad else ("ok", 0)
    if not options.json:
        print(outcome.render(brief=options.brief), flush=True)
    return outcome, {"status": status, "exit_code": code, **outcome.fields(), **printed}


def _afterwards(
    device: Device, manifest: Manifest, vectors: Vectors, done: _Runs, options: argparse.Namespace
) -> tuple[list[str], dict[str, Any] | None, list[Error]]:
    """Writes wanted outputs, tries other schedules; gives remarks, report and findings of the runs."""
    if options.output:
        from npuninja.device.arrays import write_outputs

        made = [a.array(data) for a, data in zip(manifest.outputs, done.last[0])]
        write_outputs(options.output, manifest, made)
    remarks, report = device.remarks() + done.session.remarks(), device.report()
    findings = _findings(device, manifest)
    if options.schedules or options.schedule:
        from npuninja.device.schedules import explore

        explored = explore(manifest, vectors.inputs, done.first[0], options)
        if not options.json:
            print(explored, flush=True)
    return remarks, report, findings


def _vectors(manifest: Manifest, given: tuple[str, str] | None, options: argparse.Namespace) -> Vectors:
    """Inputs and expected outputs as the options want them; `given` are the files of --vectors."""
    if given:
        if options.input or not options.verify:
            raise UserError("--vectors goes with --verify, and not with --input")
        return read_vectors(*given, manifest, options.seed)
    return make_vectors(manifest, options.input, options.verify, options.seed)
