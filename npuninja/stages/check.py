"""Stage check: does a built design run to its end on the emulated array? Needs wasmtime, as run does.

What the outputs hold is not looked at (that is `ninja test`): deadlocks, wild accesses, stack overflows and
descriptors that the hardware would refuse are found here, while the build goes on.
"""

from __future__ import annotations

import json

from npuninja import TYPE_CHECKING
from npuninja.stages._run import Outputs, read_bytes, stage_arguments

if TYPE_CHECKING:
    from typing import Any

RUN_LIMIT_S = 30.0


def run(arguments: list[str]) -> None:
    """The arguments are in docs/architecture.md, "Stages".

    Raises:
        DeviceError: the design does not run to its end; says why, and where in the sources.
    """
    from npuninja.device.emulated import EmulatedDevice
    from npuninja.device.manifest import Manifest, read_runs
    from npuninja.device.program import program_of
    from npuninja.device.source_paths import locate
    from npuninja.errors import DeviceError

    options = stage_arguments("check", arguments)
    target, given = options.one("-o"), options.all("--inputs")

    def check(manifest: Manifest, given: str | None) -> dict[str, Any]:
        data = read_bytes(given) if given else bytes(sum(a.nbytes for a in manifest.inputs))
        device = EmulatedDevice()
        try:
            device.load(program_of(manifest))
            buffers = [device.allocate(a.nbytes, i) for i, a in enumerate(manifest.arguments)]
            offset = 0
            for argument, buffer in zip(manifest.arguments, buffers):
                if argument.is_input:
                    buffer.view[:] = data[offset : offset + argument.nbytes]
                    offset += argument.nbytes
            device.run(buffers, RUN_LIMIT_S)
            remarks, report = device.remarks(), device.report() or {}
        except DeviceError as error:
            locate(error, manifest)
            raise
        finally:
            device.close()
        # Without times: the same design gives the same file, however fast the machine is.
        return {
            "design": manifest.label,
            "build_id": manifest.build_id,
            "cores": report["cores"],
            "remarks": remarks,
        }

    with Outputs(target) as outputs:
        runs = read_runs(options.input())
        found = [check(run, path) for run, path in zip(runs, [*given, *[None] * len(runs)])]
        content = found[0] if len(found) == 1 else {"runs": found}
        outputs.write(target, json.dumps(content, indent=1) + "\n")
