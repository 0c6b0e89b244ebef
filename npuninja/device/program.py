"""What a device is given of a built design."""

from __future__ import annotations

from npuninja.arch.devices import DEVICES
from npuninja.arch.families import of_generation
from npuninja.device.api import Program
from npuninja.device.manifest import Manifest
from npuninja.errors import Location, UserError


def program_of(manifest: Manifest) -> Program:
    """The design's files, checked against the manifest's hashes.

    Raises:
        UserError: a file is missing, or not of this build.
    """
    insts = manifest.read(manifest.insts)
    device = DEVICES.get(manifest.device)
    if device is None:
        raise UserError(
            f"there is no device {manifest.device!r}", Location(manifest.path), hint="build it again"
        )
    # The header's third byte (npuninja.formats.txn). The stream's reader finds what is no stream at all.
    family = of_generation(insts[2]) if len(insts) > 3 else None
    if family is not None and family is not device.family:
        raise UserError(
            f"the manifest says the design is for {manifest.device}, and its instructions are for "
            f"{family.name}",
            Location(manifest.path),
            notes=(("the instructions", Location(manifest.insts)),),
            hint="the files are of different builds, or the manifest was edited: build the design again",
        )
    if manifest.full_elf:
        manifest.read(manifest.full_elf)  # XRT reads the file itself; here it is seen to be of this build
    return Program(
        xclbin_path=manifest.xclbin,
        xclbin=manifest.read(manifest.xclbin),
        insts=insts,
        kernel=manifest.kernel,
        core_kind=manifest.core_kind,
        full_elf=manifest.full_elf,
        full_elf_kernel=manifest.full_elf_kernel,
    )
