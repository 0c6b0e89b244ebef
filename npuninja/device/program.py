"""What a device is given of a built design."""

from __future__ import annotations

from npuninja.device.api import Program
from npuninja.device.manifest import Manifest


def program_of(manifest: Manifest) -> Program:
    """The design's files, checked against the manifest's hashes.

    Raises:
        UserError: a file is missing, or not of this build.
    """
    return Program(
        manifest.xclbin,
        manifest.read(manifest.xclbin),
        manifest.read(manifest.insts),
        manifest.kernel,
        manifest.core_kind,
    )
