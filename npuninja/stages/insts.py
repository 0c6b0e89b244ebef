"""Stage insts: a lowered runtime sequence to the instructions that the NPU's firmware runs."""

from __future__ import annotations

from npuninja.diag.errors import InternalError
from npuninja.formats.txn import read_txn
from npuninja.lowering.pipeline import instructions
from npuninja.stages._module import read_module
from npuninja.stages._run import Outputs, read_arguments


def run(arguments: list[str]) -> None:
    """`npu_insts.mlir --device-symbol D --sequence S -o insts.bin`."""
    options = read_arguments("insts", arguments, options=("--device-symbol", "--sequence"))
    target = options.one("-o")
    with Outputs(target) as outputs:
        module = read_module(options.input())
        data = instructions(module, options.one("--device-symbol"), options.one("--sequence"))
        outputs.write(target, data, _check)


def _check(data: bytes) -> None:
    if not read_txn(data).operations:
        raise InternalError("the instruction stream is empty")
