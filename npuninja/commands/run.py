"""`npuninja run`: a design by its manifest, or by its name in the project here; without either, all."""

from __future__ import annotations

from npuninja.configure.built import built_manifest, is_design_name


def main(arguments: list[str]) -> int:
    """Runs the verb; returns the exit code."""
    from npuninja.device.runner import main as run

    if not arguments:
        from npuninja.commands.project import run_ninja

        return run_ninja(["run"])
    first = arguments[0]
    if is_design_name(first):
        from npuninja.commands.project import configured

        configured()
        return run([built_manifest(first), *arguments[1:]])
    return run(arguments)
