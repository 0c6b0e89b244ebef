"""Stage package: the archive and the wheel of a build. Needs installed packages (cyclonedx-python-lib)."""

from __future__ import annotations

from npuninja.errors import UserError, Warnings
from npuninja.stages._run import Outputs, print_warnings, stage_arguments


def run(arguments: list[str]) -> list[str]:
    """The arguments are in docs/architecture.md, "Stages".

    Raises:
        UserError: a file is missing or not of this build, or what `[package]` says is wrong.
        ToolError: the library for bills of materials is missing.
    """
    from npuninja.packaging.assemble import assemble
    from npuninja.packaging.wheel import wheel_files
    from npuninja.packaging.zip_file import write_zip

    options = stage_arguments("package", arguments)
    archive, wheel = options.one("-o"), options.one("--wheel")
    if len(options.positional) != 2:
        raise UserError("package: expected package_plan.json and graph.json")
    with Outputs(archive, wheel) as outputs:
        warnings = Warnings()
        package, emulated, files, read = assemble(*options.positional, warnings)
        print_warnings(warnings, as_errors="--werror" in options.flags)
        outputs.write(archive, write_zip({f"{package.stem}/{name}": data for name, data in files.items()}))
        outputs.write(wheel, write_zip(wheel_files(package, files, emulated)))
    return read
