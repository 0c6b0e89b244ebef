"""Options and checks of test programs (`aie.utils.test`)."""

from __future__ import annotations

import argparse
from typing import Any


def create_default_argparser() -> argparse.ArgumentParser:
    """The parser of the examples' test programs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-x", "--xclbin", required=True, help="the XCLBIN")
    parser.add_argument("-k", "--kernel", required=False, default="MLIR_AIE", help="the kernel's name")
    parser.add_argument("-v", "--verbosity", default=0, type=int, help="how much is said")
    parser.add_argument("-i", "--instr", dest="instr", default="instr.txt", help="the instructions")
    parser.add_argument("--verify", dest="verify", default=True, help="compare with the reference")
    parser.add_argument("--iters", dest="iters", default=1, type=int, help="runs that count")
    parser.add_argument("--warmup", dest="warmup_iters", default=0, type=int, help="runs that do not count")
    parser.add_argument("-t", "--trace_sz", dest="trace_size", default=0, type=int, help="bytes of trace")
    parser.add_argument("--trace_file", dest="trace_file", default="trace.txt", help="where the trace goes")
    parser.add_argument("-i1s", "--in1_size", dest="in1_size", default=0, type=int, help="bytes of input 1")
    parser.add_argument("-i2s", "--in2_size", dest="in2_size", default=0, type=int, help="bytes of input 2")
    parser.add_argument("-os", "--out_size", dest="out_size", default=0, type=int, help="bytes of the output")
    return parser


def parse_args(args: list[str] | None = None) -> argparse.Namespace:
    """The options of a test program, with its kernel."""
    return create_npu_kernel(create_default_argparser().parse_args(args))


def parse_trace_args(args: list[str] | None = None) -> argparse.Namespace:
    """The options of a trace's reader."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--input", required=True)
    parser.add_argument("--mlir", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--colshift", type=int)
    return parser.parse_args(args)


def create_npu_kernel(opts: argparse.Namespace) -> argparse.Namespace:
    """The same options, with the kernel that they name as `npu_kernel`."""
    from npuninja.python_designs.host.runtime import NPUKernel, TraceConfig

    trace_config = None
    if getattr(opts, "trace_size", 0) > 0:
        usual: dict[str, Any] = {
            "trace_file": "trace.txt",
            "reuse_output_buffer": False,
            "enable_ctrl_pkts": False,
        }
        said = {name: getattr(opts, name, value) for name, value in usual.items()}
        trace_config = TraceConfig(opts.trace_size, **said)
    opts.npu_kernel = NPUKernel(opts.xclbin, opts.instr, kernel_name=opts.kernel, trace_config=trace_config)
    return opts
