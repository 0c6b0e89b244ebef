"""Stage aiecc: a whole design by MLIR-AIE's driver, in a folder of its own."""

from __future__ import annotations

import os
import sys

from npuninja.errors import ToolError
from npuninja.formats.txn import read_txn
from npuninja.formats.xclbin import read_xclbin
from npuninja.formats.xclbin_check import check_xclbin
from npuninja.formats.xclbin_normal import normalised
from npuninja.formats.xclbin_sections import DEFAULT_KERNEL_NAME
from npuninja.stages._run import Outputs, read_bytes, stage_arguments
from npuninja.stages._tool import WorkFolder, run_tool


def run(arguments: list[str]) -> None:
    """`DESIGN.mlir KERNEL.o… --word W… [--variable K=V]… --peano LLC --xclbinutil EXE --made-xclbin F
    --made-insts F …`.

    The driver puts ELFs and intermediate files where it runs, and the linker looks for kernels there: so it
    runs in a folder of its own that holds the kernels' objects, and no two designs meet in it. `-o` and
    `--insts` are the outputs, `--made-…` what the driver calls them.
    """
    options = stage_arguments("aiecc", arguments)
    target, insts = options.one("-o"), options.one("--insts")
    source, *kernels = options.positional
    with Outputs(target, insts) as outputs:
        read_bytes(source)
        xclbinutil = os.path.abspath(options.one("--xclbinutil"))
        variables = {
            "PEANO_INSTALL_DIR": os.path.dirname(os.path.dirname(os.path.abspath(options.one("--peano")))),
            "AIE_XCLBINUTIL": xclbinutil,
            # The drivers look for xclbinutil here.
            "PATH": os.pathsep.join([os.path.dirname(xclbinutil), os.environ.get("PATH", os.defpath)]),
            **dict(text.split("=", 1) for text in options.all("--variable")),
        }
        with WorkFolder(outputs.temporary(target) + ".d", *kernels) as folder:
            command = [*options.all("--word"), os.path.abspath(source)]
            printed = run_tool(command, folder=folder, variables=variables, time_limit_s=1800.0)
            for name in (options.one("--made-xclbin"), options.one("--made-insts")):
                # A missing xclbinutil is only a warning to the driver, and its exit code is 0 then.
                if not os.path.exists(os.path.join(folder, name)):
                    raise ToolError(
                        f"aiecc made no {name} although it succeeded; it printed: {printed.strip()[-2000:]}"
                    )
            sys.stderr.write(printed)
            made = os.path.join(folder, options.one("--made-xclbin"))
            outputs.write(target, normalised(read_bytes(made), made), _check_xclbin)
            outputs.write(insts, read_bytes(os.path.join(folder, options.one("--made-insts"))), _check_insts)


def _check_xclbin(data: bytes) -> None:
    check_xclbin(read_xclbin(data), DEFAULT_KERNEL_NAME, "aie.xclbin")


def _check_insts(data: bytes) -> None:
    if not read_txn(data).operations:
        raise ToolError("aiecc made an instruction stream without an instruction")
