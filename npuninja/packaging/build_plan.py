"""package_plan.json: what configure.py knows of a package and its build, for the stage that makes it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from npuninja.errors import Location, UserError
from npuninja.packaging.package import Package, package_of
from npuninja.packaging.places import UsedTool
from npuninja.records import NamedTuple

PLAN_FORMAT = 2


class BuildPlan(NamedTuple):
    """What is to be packed. Files are named as the build's commands name them.

    Attributes:
        package: name, version, preset, licence.
        designs: design -> its manifest, and what a person wrote for it: its source and what that imports.
        license_files: name in the package -> file.
        engine: the emulator's engine; "" when the cores are real.
        source_root: absolute folder of the project.
        build_folder: the folder of all outputs.
        tools: every tool that was found.
        commands: rule -> command, in the form of `BuildGraph`.
        ninja: the program; "" when Make builds.
        discovering: the stages that always read files which their commands do not name, such as headers.
    """

    package: Package
    designs: Mapping[str, tuple[str, Sequence[str]]]
    license_files: Mapping[str, str]
    engine: str
    source_root: str
    build_folder: str
    tools: Sequence[UsedTool]
    commands: Mapping[str, str]
    ninja: str
    discovering: Sequence[str]

    def text(self) -> str:
        """The content of the file."""
        return json.dumps({"format": PLAN_FORMAT, **self._asdict(), "package": self.package.fields()}) + "\n"


def read_build_plan(path: str) -> BuildPlan:
    """Reads the file. Raises UserError when configure.py of this version did not write it."""
    try:
        with open(path, encoding="utf-8") as stream:
            fields = json.load(stream)
        if fields.pop("format") != PLAN_FORMAT:
            raise ValueError("another format")
        fields["package"] = package_of(fields["package"])
        fields["tools"] = [UsedTool(*tool) for tool in fields["tools"]]
        return BuildPlan(**fields)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(
            f"not what configure.py writes: {error}", Location(path), hint="run configure.py"
        ) from error
