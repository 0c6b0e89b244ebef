"""build/config.toml: what configure.py was called with, so that Ninja can call it again in the same way."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from npuninja.errors import Location, UserError
from npuninja.files import write_if_changed
from npuninja.settings.toml_file import Table, read_toml, toml_package

# What detection reads from the environment; the shell that Ninja runs in must not change the build.
RECORDED_VARIABLES = (
    "PATH",
    "PEANO_INSTALL_DIR",
    "MLIR_AIE_INSTALL_DIR",
    "XILINX_XRT",
    "XRT_ROOT",
    "VIRTUAL_ENV",
    "NPUNINJA_TOOLS",
    "XDG_DATA_HOME",
    "LD_LIBRARY_PATH",
    "HOME",
    "TMPDIR",
)


def recorded_part(environment: Mapping[str, str], named: Sequence[str] = ()) -> dict[str, str]:
    """Those variables of an environment that decide anything; `named` are those that the project names."""
    return {name: environment[name] for name in (*RECORDED_VARIABLES, *named) if name in environment}


def read_record(path: str) -> tuple[list[str], dict[str, str]]:
    """The arguments and the environment of the recorded configure.

    Raises:
        UserError: the file is missing or damaged; says to configure again.
    """
    try:
        table = Table(read_toml(path), path)
        arguments = table.texts("arguments")
        variables = table.table("environment")
        return arguments, {name: variables.text(name) or "" for name in variables.content}
    except UserError as error:
        message = f"no usable record of the last configure: {error.message}"
        raise UserError(message, Location(path), hint="run configure.py") from error


def read_project(path: str) -> str | None:
    """The absolute folder of the project that a record belongs to; None when the record is damaged or old."""
    try:
        project = Table(read_toml(path), path).text("project")
    except UserError:
        return None
    return os.path.normpath(os.path.join(os.path.dirname(path), project)) if project else None


def write_record(
    path: str,
    project: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    providers: Mapping[str, Mapping[str, str]],
    variables: Sequence[str] = (),
) -> None:
    """Records arguments, environment and the chosen providers, when they differ from what is recorded."""
    content = {
        "project": _way_to(project, os.path.dirname(path)),
        "arguments": list(arguments),
        "environment": recorded_part(environment, variables),
        "providers": {stage: dict(fields) for stage, fields in providers.items()},
    }
    if os.path.exists(path):
        try:
            if read_toml(path) == content:
                return
        except UserError:
            pass  # a damaged record is replaced
    text = toml_package().dumps(content)
    write_if_changed(path, f"# Written by configure.py, read by it when Ninja runs it again.\n{text}")


def _way_to(project: str, folder: str) -> str:
    """Relative when the build folder lies in the project: both may be moved then."""
    inside = os.path.commonpath([project, os.path.abspath(folder)]) == project
    return os.path.relpath(project, folder) if inside else project
