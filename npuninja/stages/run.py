"""Stage run: a built design on a device. The only stage that needs installed packages (NumPy, wasmtime)."""

from __future__ import annotations


def run(arguments: list[str]) -> None:
    """What `npuninja run` takes; leaves with its exit code when that is not 0."""
    from npuninja.device.runner import main

    code = main(arguments)
    if code:
        raise SystemExit(code)
