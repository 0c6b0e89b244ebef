"""A log-mel design on a device: samples in, the bands of every frame out."""

from __future__ import annotations

import glob
import os
from typing import Any

import numpy as np
from mel_layout import DESIGNS, MAX_FRAMES
from mel_scale import HOP

from npuninja.device.api import Program
from npuninja.device.choice import choose, has_npu
from npuninja.device.manifest import read_manifest
from npuninja.errors import DeviceError, UserError
from whisper_mel.clip import BANDS, SAMPLES, instructions

Array = np.ndarray[Any, np.dtype[Any]]

#: Designs, the fastest first: on the emulated array, whose cores do not run side by side, and on an NPU.
_PREFERRED = {
    ("wasm", 80): ("mel_vector", "mel", "mel_4core", "mel_16core"),
    ("wasm", 128): ("mel128",),
    ("aie2", 80): ("mel_4core", "mel_16core", "mel_vector", "mel"),
    ("aie2", 128): ("mel128",),
}


def find_manifest(bands: int, device: str, build_folder: str = "build", design: str | None = None) -> str:
    """The manifest of a built log-mel design.

    Args:
        bands: 80 or 128.
        device: "npu", "emu" or "auto": a design for an NPU where one is built and the machine has one.
        build_folder: where `ninja` built.
        design: its name; by default the fastest that is built.

    Raises:
        UserError: no such design is built.
    """
    kinds = {"npu": ["aie2"], "emu": ["wasm"], "auto": ["aie2", "wasm"] if has_npu() else ["wasm"]}[device]
    for kind in kinds:
        for name in (design,) if design else _PREFERRED[kind, bands]:
            found = sorted(
                glob.glob(os.path.join(glob.escape(build_folder), "*", kind, name, f"{name}.json"))
            )
            if found:
                return found[0]
    wanted = design or " or ".join(_PREFERRED[kinds[0], bands])
    raise UserError(
        f"no log-mel design for {device if device != 'auto' else 'any device'} is built in {build_folder}/",
        hint=f"build one: `python configure.py` and `ninja` ({wanted}), or say where with --build",
    )


class LogMel:
    """A loaded log-mel design. Use it in a `with` statement, or close it.

    Args:
        manifest: path of the manifest of one of the designs in `mel_layout.DESIGNS`.
        device: "auto", "npu" or "emu".
        time_limit_s: of one run.

    Attributes:
        design: its name.
        bands: of the design.
        device: "npu" or "emu".
        timing: what its times are worth: "measured" of an NPU, "emulated" of the emulation on this machine.
        device_s: seconds that the device took for everything so far.

    Raises:
        UserError: it is no log-mel design.
        NoDevice: there is no such device.
        DeviceError: the device refuses the design.
    """

    def __init__(self, manifest: str, device: str = "auto", time_limit_s: float = 60.0) -> None:
        self._manifest = read_manifest(manifest)
        if self._manifest.design not in DESIGNS:
            raise UserError(
                f"{self._manifest.design} is no log-mel design",
                hint=f"the log-mel designs are {', '.join(DESIGNS)}",
            )
        self._design = DESIGNS[self._manifest.design]
        self._time_limit_s = time_limit_s
        self._insts = self._manifest.read(self._manifest.insts)
        instructions(
            self._design, self._insts, MAX_FRAMES
        )  # refuses another build's before anything is loaded
        self._frames = MAX_FRAMES  # that the loaded instructions are for
        self._device = choose(self._manifest, device, None).device
        try:
            xclbin = self._manifest.read(self._manifest.xclbin)
            names = (
                self._manifest.xclbin,
                xclbin,
                self._insts,
                self._manifest.kernel,
                self._manifest.core_kind,
            )
            self._device.load(Program(*names))
            self._buffers = [
                self._device.allocate(a.nbytes, i) for i, a in enumerate(self._manifest.arguments)
            ]
        except BaseException:
            self._device.close()
            raise
        self.design = self._design.name
        self.bands = self._design.bands
        self.device = self._device.capabilities.name
        self.timing = self._device.capabilities.timing
        self.device_s = 0.0

    def __enter__(self) -> LogMel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the device back."""
        self._device.close()

    def frames(self, stream: Array, frames: int) -> Array:
        """The bands of frames in a stream of samples; a run of the design for each 30 s.

        Args:
            stream: int16; frame i is samples 160 * i to 160 * i + 400.
            frames: number of frames, as many as `stream` holds at most.

        Returns:
            int8 of shape (frames, bands); `mel_scale.log10_of` says what they stand for.
        """
        parts = [
            self._run(stream[HOP * first :], min(MAX_FRAMES, frames - first))
            for first in range(0, frames, MAX_FRAMES)
        ]
        return np.concatenate(parts) if parts else np.empty((0, self.bands), np.int8)

    def _run(self, stream: Array, frames: int) -> Array:
        content = self._design.pack(stream, frames)
        if frames != self._frames:
            self._device.instruct(instructions(self._design, self._insts, frames))
            self._frames = frames
        np.frombuffer(self._buffers[SAMPLES].view, np.int16)[: len(content)] = content
        try:
            self.device_s += self._device.run(self._buffers, self._time_limit_s)
        except DeviceError as error:
            from npuninja.device.source_paths import locate

            locate(error, self._manifest)
            raise
        got: Array = np.frombuffer(self._buffers[BANDS].view, np.int8)[: frames * self.bands]
        return np.copy(got).reshape(frames, self.bands)
