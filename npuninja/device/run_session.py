"""A loaded design with its buffers, run again and again."""

from __future__ import annotations

from collections.abc import Sequence

from npuninja.device.api import Buffer, Device
from npuninja.device.idle_gaps import IdleGaps
from npuninja.device.manifest import Manifest
from npuninja.device.output_comparison import poison


class Session:
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
        self._manifest = manifest
        self._buffers = [
            [device.allocate(a.nbytes, i) for i, a in enumerate(manifest.arguments)] for _ in range(in_flight)
        ]
        self._before = before_run(manifest, inputs)
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
        return [outputs_of(self._manifest, buffers) for buffers in self._buffers]

    def remarks(self) -> list[str]:
        """What the user should know about the measurement."""
        # Only an NPU goes to sleep.
        remark = self._gaps.remark() if self._device.capabilities.timing == "measured" else None
        return [remark] if remark else []


def before_run(manifest: Manifest, inputs: Sequence[bytes]) -> list[bytes]:
    """What every buffer holds before a run: its input, or poison."""
    remaining = iter(inputs)
    return [
        next(remaining) if a.is_input else poison(a.nbytes) if a.is_output else bytes(a.nbytes)
        for a in manifest.arguments
    ]


def outputs_of(manifest: Manifest, buffers: Sequence[Buffer]) -> list[bytes]:
    """Copies of the outputs among a run's buffers."""
    return [bytes(buffer.view) for a, buffer in zip(manifest.arguments, buffers) if a.is_output]
