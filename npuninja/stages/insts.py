"""Stage insts: a lowered runtime sequence to the instructions that the NPU's firmware runs."""

from __future__ import annotations

from npuninja.errors import InternalError, Location, Warnings
from npuninja.formats.txn import Sync, read_txn
from npuninja.lowering.pipeline import instructions
from npuninja.stages._mlir_module import read_design
from npuninja.stages._mlir_tool import run_mlir_tool
from npuninja.stages._run import Outputs, print_warnings, read_bytes, stage_arguments


def run(arguments: list[str]) -> None:
    """`FILE.mlir --device-symbol D --sequence S [--generation G] [--aie-translate EXE] [--werror] -o F`."""
    options = stage_arguments("insts", arguments)
    target, tool = options.one("-o"), options.optional("--aie-translate")
    device, sequence = options.one("--device-symbol"), options.one("--sequence")
    with Outputs(target) as outputs:
        if tool:
            words = ["--aie-npu-to-binary", "--aie-device-name", device, "--aie-sequence-name", sequence]
            run_mlir_tool(tool, words, options.input(), outputs, target, _check)
            data = read_bytes(outputs.temporary(target))
        else:
            module, generation = read_design(options.input(), options.optional("--generation"))
            data = instructions(
                module,
                device,
                sequence,
                generation=generation,
                for_xclbin=True,
            )
            outputs.write(target, data, _check)
        print_warnings(_warnings(data, options.input()), as_errors="--werror" in options.flags)


def _check(data: bytes) -> None:
    if not read_txn(data).operations:
        raise InternalError("the instruction stream is empty")


def _warnings(data: bytes, path: str) -> Warnings:
    warnings = Warnings()
    if not any(isinstance(operation, Sync) for operation in read_txn(data).operations):
        warnings.add(
            "the instruction stream never waits for a transfer: the run is over before any "
            "result has arrived. Give a transfer an issue_token and wait for it "
            "(aiex.npu.dma_wait, aiex.dma_await_task)",
            Location(path),
        )
    return warnings
