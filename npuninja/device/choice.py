"""Which device a design runs on, and why.

Nothing falls back silently: the choice and its reason are printed.
"""

from __future__ import annotations

import glob

from npuninja.device.api import Device
from npuninja.device.manifest import Manifest
from npuninja.errors import Error, NoDevice, UserError
from npuninja.records import NamedTuple

DEVICES = ("auto", "npu", "emu", "null")


class Choice(NamedTuple):
    """An opened device and the reason for it."""

    device: Device
    reason: str


def has_npu() -> bool:
    """Whether the driver of an NPU has made its device node on this machine; opening it may still fail."""
    from npuninja.detect.pyxrt_import import ACCEL_NODES

    return bool(glob.glob(ACCEL_NODES))


def choose(
    manifest: Manifest, wanted: str, required: str | None, checks: frozenset[str] = frozenset()
) -> Choice:
    """Opens the device for a design.

    Args:
        manifest: the design.
        wanted: one of `DEVICES`.
        required: "npu" or "emu": what it must turn out to be, or None.
        checks: what the emulated array watches (`npuninja.emulator.checks`).

    Raises:
        NoDevice: there is no device of the kind that is wanted or required.
        UserError: the design cannot run on it, or the device cannot check anything.
    """
    if checks and (wanted in ("npu", "null") or required == "npu"):
        raise UserError(
            "--check needs the emulated array: no NPU says what touches its memory",
            hint="leave out --device and --require",
        )
    if required and wanted not in ("auto", required):
        raise UserError(
            f"--device {wanted} and --require {required} contradict each other", hint="leave one of them out"
        )
    if wanted == "auto" and required:
        choice = _open(manifest, required, f"--require {required}", checks)
    elif wanted == "auto" and checks:
        choice = _open(manifest, "emu", "--check", checks)
    elif wanted == "auto":
        choice = _automatic(manifest)
    else:
        choice = _open(manifest, wanted, f"--device {wanted}", checks)
    return choice


def _open(manifest: Manifest, kind: str, reason: str, checks: frozenset[str] = frozenset()) -> Choice:
    if kind == "npu":
        from npuninja.device.xrt import is_emulated
        from npuninja.device.xrt_open import open_npu

        device = open_npu()  # a missing NPU is said first: it is the answer that --require asks for
        if manifest.core_kind == "wasm" and not is_emulated():
            device.close()
            raise UserError(
                f"the XCLBIN of {manifest.design} has wasm cores, which run on the emulated array only",
                hint="build the design with the core kind of this NPU",
            )
        return Choice(device, reason)
    if kind == "null":
        from npuninja.device.null import NullDevice

        return Choice(NullDevice(), reason)
    try:
        import npuninja.emulator  # noqa: F401  (a package of designs for an NPU comes without it)
        from npuninja.device.emulated import EmulatedDevice
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("npuninja."):
            raise
        raise UserError(
            f"{manifest.design} was built for {manifest.core_kind} cores, "
            "and this package has no emulated array",
            hint="`npuninja run` of an installed npuninja has one",
        ) from error
    return Choice(EmulatedDevice(checks), reason)


def _automatic(manifest: Manifest) -> Choice:
    if manifest.core_kind == "wasm":
        return _open(manifest, "emu", "auto: the design has wasm cores, which run on the emulated array only")
    try:
        return _open(
            manifest, "npu", f"auto: the design has {manifest.core_kind} cores, which run on an NPU only"
        )
    except NoDevice as error:
        if manifest.core_kind == "aie2":
            why = f"auto: there is no NPU ({error.message}), and the emulated array runs aie2 machine code"
            try:
                return _open(manifest, "emu", why)
            except UserError:
                pass  # no emulated array either: what is missing is the NPU
        raise _with_advice(error, manifest) from error


def _with_advice(error: Error, manifest: Manifest) -> NoDevice:
    """The error of a missing NPU, with what else can be done with this design."""
    return NoDevice(
        error.message,
        notes=error.notes,
        hint=f"{error.hint}; without an NPU, "
        f"`ninja test-{manifest.design}` builds and runs the same on the emulated array",
    )


def limit_memory(device: Device, limit_bytes: int) -> None:
    """What the buffers of an emulated array may take together."""
    from npuninja.device.emulated import EmulatedDevice

    if isinstance(device, EmulatedDevice):
        device.memory_limit_bytes = limit_bytes
