"""`npuninja run --schedules N`: the same design and inputs in other orders that hardware could take.

Speeds of cores and channels, whose turn comes when, words that a stream moves at once: all drawn from a seed.
What a right design computes depends on none of it.
"""

from __future__ import annotations

import argparse

from npuninja.device.emulated import EmulatedDevice
from npuninja.device.manifest import Manifest
from npuninja.device.program import program_of
from npuninja.device.run_session import before_run, outputs_of
from npuninja.errors import DeviceError, WrongResult

#: Knuth's multiplicative hash: seeds that differ by one give orders that have nothing in common.
_SPREAD = 2654435761


def schedule_seed(seed: int, number: int) -> int:
    """The seed of the emulated array for schedule `number`, from 1 on; never 0."""
    return (seed * 1_000_003 + number) * _SPREAD % 0xFFFFFFFF + 1


def explore(
    manifest: Manifest, inputs: list[bytes], expected: list[bytes], options: argparse.Namespace
) -> str:
    """Runs the schedules that the options ask for.

    Args:
        manifest: the design.
        inputs: of the first run.
        expected: its outputs.
        options: those of `npuninja run`.

    Returns:
        A line for people: the outputs were the same.

    Raises:
        WrongResult: an output differs from that of the usual order.
        DeviceError: a run failed in a schedule; the hint says how to repeat it.
    """
    numbers = [options.schedule] if options.schedule else range(1, options.schedules + 1)
    for number in numbers:
        again = f"repeat it with --seed {options.seed} --schedule {number}"
        try:
            outputs = _run(manifest, inputs, schedule_seed(options.seed, number), options.time_limit)
        except DeviceError as error:
            error.notes = ((f"this is schedule {number} of seed {options.seed}; {again}", None), *error.notes)
            raise
        for argument, got, right in zip(manifest.outputs, outputs, expected):
            if got != right:
                first = next(i for i, (a, b) in enumerate(zip(got, right)) if a != b)
                count = sum(a != b for a, b in zip(got, right))
                raise WrongResult(
                    f"{manifest.design}: {argument.name} depends on the order of things: in schedule "
                    f"{number} of seed {options.seed}, {count} of its {len(right)} bytes differ from those "
                    f"of the usual order, the first at byte {first}",
                    hint=f"{again}; `--check races` names accesses that nothing orders",
                )
    if options.schedule:
        return f"schedule {options.schedule} of seed {options.seed}: the same outputs as in the usual order"
    return f"{options.schedules} schedules of seed {options.seed}: the same outputs in each"


def _run(manifest: Manifest, inputs: list[bytes], seed: int, time_limit_s: float) -> list[bytes]:
    """The outputs of one run on a fresh array."""
    device = EmulatedDevice(schedule=seed)
    try:
        device.load(program_of(manifest))
        buffers = [device.allocate(a.nbytes, i) for i, a in enumerate(manifest.arguments)]
        for buffer, content in zip(buffers, before_run(manifest, inputs)):
            buffer.view[:] = content
        device.run(buffers, time_limit_s)
        return outputs_of(manifest, buffers)
    finally:
        device.close()
