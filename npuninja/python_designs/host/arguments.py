"""Options of designs' command lines (summer 2026: `aie.utils.hostruntime.argparse`)."""

from __future__ import annotations

from typing import Any

from npuninja.arch.families import DEFAULT, FAMILIES

DEFAULT_DEV_CHOICES = ("npu", *(name for name in FAMILIES if name != DEFAULT))


def add_compile_args(
    parser: Any,
    *,
    with_dev: bool = True,
    dev_choices: Any = DEFAULT_DEV_CHOICES,
    default_dev: str | None = None,
    short_dev: str | None = "-d",
    with_elf: bool = False,
    with_full_elf: bool = False,
    with_pdi: bool = False,
    with_emit_mlir: bool = False,
) -> None:
    """What a compile-only run takes."""
    if with_dev:
        names = [short_dev, "--dev"] if short_dev else ["--dev"]
        parser.add_argument(
            *names, dest="dev", choices=list(dev_choices), default=default_dev, help="device to build for"
        )
    if with_emit_mlir:
        parser.add_argument("--emit-mlir", action="store_true", help="print the module and end")
    parser.add_argument("--xclbin-path", default=None, help="write the XCLBIN here, and do not run")
    parser.add_argument("--insts-path", default=None, help="write the instructions here")
    if with_elf:
        parser.add_argument("--elf-path", default=None, help="write the instructions as ELF here")
    if with_full_elf:
        parser.add_argument("--full-elf-path", default=None, help="write the design as one ELF here")
    if with_pdi:
        parser.add_argument("--pdi-path", default=None, help="write the device image here")


def add_benchmark_args(parser: Any, *, default_warmup: int = 2, default_iters: int = 5) -> None:
    """How often to run."""
    parser.add_argument("-w", "--warmup", type=int, default=default_warmup, help="runs that do not count")
    parser.add_argument("-i", "--iters", type=int, default=default_iters, help="runs that count")


def add_trace_arg(parser: Any, *, with_short: bool = True, default: int = 0) -> None:
    """The size of a trace."""
    names = ["-t", "--trace_size"] if with_short else ["--trace_size"]
    parser.add_argument(*names, dest="trace_size", type=int, default=default, help="bytes of trace")


def add_runtime_args(parser: Any, *, with_io_sizes: bool = False, with_benchmark: bool = False) -> None:
    """What a run of compiled files takes."""
    parser.add_argument("-x", "--xclbin", required=True, help="the XCLBIN")
    parser.add_argument("--instr", default="instr.txt", help="the instructions")
    parser.add_argument("-k", "--kernel", default="MLIR_AIE", help="the kernel's name")
    parser.add_argument("-v", "--verbosity", type=int, default=0)
    parser.add_argument("--verify", dest="verify", action="store_true", default=True)
    parser.add_argument("--no-verify", dest="verify", action="store_false")
    parser.add_argument("-t", "--trace_size", type=int, default=0)
    parser.add_argument("--trace-file", default="trace.txt")
    parser.add_argument("--ddr-id", type=int, default=4)
    parser.add_argument("--enable-ctrl-pkts", action="store_true")
    if with_io_sizes:
        for name in ("--in1-size", "--in2-size", "--out-size"):
            parser.add_argument(name, type=int, default=0)
    if with_benchmark:
        add_benchmark_args(parser)


def device_from_args(args: Any, *, dev_attr: str = "dev", n_cols: Any = "auto") -> Any:
    """The device that the options name, or None."""
    from npuninja.python_designs.iron.device import from_name

    name = getattr(args, dev_attr, None)
    if name is None:
        return None
    if n_cols == "auto":
        n_cols = getattr(args, "n_cols", None) or 1
    return from_name(name, n_cols=n_cols)
