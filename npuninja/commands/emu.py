"""`npuninja emu -- COMMAND…`: runs a program that uses XRT, unmodified, on the emulated NPU."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from npuninja.arch.families import DEFAULT
from npuninja.argument_parser import VerbParser
from npuninja.device.memory_limit import EMU_LIMIT_BYTES, add_memory_limit
from npuninja.errors import UserError, in_words
from npuninja.install.folder import tools_folder
from npuninja.xrt_emulation.command_process import run_command
from npuninja.xrt_emulation.journal import Journal
from npuninja.xrt_emulation.models import MODELS, NpuModel, model_named
from npuninja.xrt_emulation.npu import Npu
from npuninja.xrt_emulation.preload_library import preload_library
from npuninja.xrt_emulation.server import Server
from npuninja.xrt_emulation.shown_files import shown_files

#: Where packages of Linux distributions, and XRT's own, put its libraries.
SYSTEM_FOLDERS = (
    "/opt/xilinx/xrt/lib",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
)
DEFAULT_TIME_LIMIT_S = 60.0  # amdxdna gives a command as long (HWCTX_MAX_TIMEOUT in aie2_ctx.c)


def main(arguments: list[str]) -> int:
    """Runs the verb; returns the command's exit code, 128 and the number for a signal."""
    parser = VerbParser(
        prog="npuninja emu",
        usage="npuninja emu [--device D] [--log FILE] [--time-limit S] [--memory-limit SIZE] -- COMMAND…",
        description="Runs a command, and whatever it starts, with an emulated NPU: its XRT finds "
        "/dev/accel/accel0. XRT and the Python of `npuninja tools install xrt` come first on "
        "the command's PATH, when they are installed.",
        epilog="Exit codes: the command's; 128 + N when signal N ended it; "
        "126 and 127 when it cannot be started.",
    )
    parser.add_argument(
        "--device", default=DEFAULT, help=f"which NPU: {', '.join(MODELS)} (default {DEFAULT})"
    )
    parser.add_argument(
        "--log", metavar="FILE", help="where it says what went wrong (default: standard error)"
    )
    parser.add_argument(
        "--time-limit", type=float, default=DEFAULT_TIME_LIMIT_S, metavar="S",
        help="seconds after which a command that still runs has timed out (default "
             f"{DEFAULT_TIME_LIMIT_S:g})",
    )  # fmt: skip
    parser.add_argument(
        "--coherent", action="store_true",
        help="host and NPU share one memory: sync copies nothing, and a missing sync goes unnoticed",
    )  # fmt: skip
    add_memory_limit(parser, EMU_LIMIT_BYTES)
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND…")
    options = parser.parse_args(arguments)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise UserError("no command given", hint="npuninja emu -- python my_program.py")
    if not options.time_limit > 0:
        raise UserError(f"--time-limit {options.time_limit:g} is not above 0")
    model = model_named(options.device)
    if not _finds_xrt(os.environ):
        print(
            f"npuninja emu: no XRT is in {os.path.join(tools_folder(os.environ), 'xrt')}, nor in the "
            "system; a command that does not bring its own will not find pyxrt or libxrt_coreutil; "
            "`npuninja tools install xrt` fetches XRT",
            file=sys.stderr,
        )
    limits = (options.time_limit, options.memory_limit)
    if not options.log:
        return run_emulated(command, os.environ, model, sys.stderr, limits, options.coherent)
    try:
        with open(options.log, "a", encoding="utf-8") as log:
            return run_emulated(command, os.environ, model, log, limits, options.coherent)
    except OSError as error:
        raise UserError(f"cannot write {options.log}: {in_words(error)}") from error


def run_emulated(
    command: list[str],
    environment: Mapping[str, str],
    model: NpuModel,
    log: TextIO,
    limits: tuple[float, int],
    coherent: bool,
) -> int:
    """Runs a command with an emulated NPU; returns its exit code as a shell would.

    Args:
        limits: of one command's time in seconds, and of the memory of all buffers in bytes.
    """
    time_limit_s, memory_limit_bytes = limits
    with emulated_npu(environment, model, log, time_limit_s, coherent, memory_limit_bytes) as variables:
        return run_command(command, variables)


@contextmanager
def emulated_npu(
    environment: Mapping[str, str],
    model: NpuModel,
    log: TextIO,
    time_limit_s: float,
    coherent: bool = False,
    memory_limit_bytes: int = EMU_LIMIT_BYTES,
) -> Iterator[dict[str, str]]:
    """An emulated NPU as long as the block runs; gives the environment in which programs see it."""
    library = preload_library()
    files = shown_files(model)
    npu = Npu(model, Journal(log), time_limit_s)
    npu.memory.limit_bytes = memory_limit_bytes
    server = Server(npu)
    try:
        variables = _variables(environment, library, files, server.name)
        yield variables if coherent else {**variables, "NPUNINJA_EMU_SYNC": "1"}
    finally:
        server.close()


def _finds_xrt(environment: Mapping[str, str]) -> bool:
    """Whether the command will find XRT where it usually is."""
    if os.path.isdir(_programs(environment)) or environment.get("XILINX_XRT"):
        return True
    folders = [*environment.get("LD_LIBRARY_PATH", "").split(":"), *SYSTEM_FOLDERS]
    return any(os.path.exists(os.path.join(folder, "libxrt_coreutil.so.2")) for folder in folders if folder)


def _programs(environment: Mapping[str, str]) -> str:
    """The programs of `npuninja tools install xrt`."""
    return os.path.join(tools_folder(environment), "xrt", "bin")


def _variables(
    environment: Mapping[str, str], library: Path, files: Path, socket_name: str
) -> dict[str, str]:
    variables = {**environment, "NPUNINJA_EMU_FILES": str(files), "NPUNINJA_EMU_SOCKET": socket_name}
    before = environment.get("LD_PRELOAD")
    variables["LD_PRELOAD"] = f"{library}:{before}" if before else str(library)
    programs = _programs(environment)
    if os.path.isdir(programs):
        variables["PATH"] = programs + os.pathsep + environment.get("PATH", os.defpath)
    return variables
