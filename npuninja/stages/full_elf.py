"""Stage full_elf: configurations, instructions and kernels in one ELF (`npuninja.formats.full_elf`).

By aiebu-asm or by ourselves; both write the same bytes. Modules of emulated cores are added after them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from npuninja.arch.devices import device as device_model
from npuninja.arch.families import Family, of_architecture
from npuninja.errors import InternalError, Warnings
from npuninja.formats.cdo import read_cdo, write_cdo
from npuninja.formats.control_packets import configuration_operations
from npuninja.formats.core_image import read_core_image
from npuninja.formats.emulation_data import write_emulation_data
from npuninja.formats.full_elf import (
    LEAST_ARGUMENTS,
    FullInstance,
    FullKernel,
    check_kernels,
    with_emulation_data,
    without_late_offsets,
    write_full_elf,
)
from npuninja.formats.full_elf_reader import read_full_elf
from npuninja.formats.pdi import write_pdi
from npuninja.formats.txn import LoadPdi, TxnOperation, read_txn, write_txn
from npuninja.stages._places import image_files
from npuninja.stages._run import Arguments, Outputs, print_warnings, read_bytes, read_text, stage_arguments
from npuninja.stages._tool import WorkFolder, run_tool
from npuninja.stages.control_packets import started


def run(arguments: list[str]) -> None:
    """The arguments are in docs/architecture.md, "Stages".

    Raises:
        UserError: an input is damaged, or the file cannot say what the instructions need.
        ToolError: aiebu-asm cannot be started, or fails.
    """
    options = stage_arguments("full_elf", arguments)
    target, assembler = options.one("-o"), options.optional("--aiebu-asm")

    def check(made: bytes) -> None:
        read_full_elf(made, target)

    with Outputs(target) as outputs:
        device = options.one("--device")
        architecture = device_model(device).architecture
        images = [
            read_core_image(read_bytes(path), architecture, path)
            for path in image_files(options.all("--image"))
        ]
        modules = list(dict.fromkeys(image.module for image in images if image.module))
        kernels = _kernels(options)
        print_warnings(_warnings(kernels, of_architecture(architecture), device))
        if assembler:
            check_kernels(kernels)
            made = _by_aiebu(assembler, kernels, outputs.temporary(target))
        else:
            made = write_full_elf(kernels)
        if modules:
            made = with_emulation_data(made, write_emulation_data(modules))
        outputs.write(target, made, check)


def _warnings(kernels: Sequence[FullKernel], family: Family, device: str) -> Warnings:
    """What an NPU would not do with the file."""
    found = Warnings()
    if not family.driver.takes_full_elf:
        found.add(f"the driver of {device} takes no full ELF, so host programs need the XCLBIN there")
    # Those of other devices may be parts of one that loads.
    streams = [read_txn(instance.stream) for kernel in kernels for instance in kernel.instances]
    if not any(isinstance(operation, LoadPdi) for stream in streams for operation in stream.operations):
        name = kernels[0].name if kernels else ""
        found.add(
            "no sequence of the full ELF loads a configuration, and nothing else does: "
            f"begin one with aiex.npu.load_pdi {{device_ref = @{name}}}"
        )
    return found


def _kernels(options: Arguments) -> list[FullKernel]:
    """A kernel for each device that has runtime sequences, each with all configurations."""
    numbers, images = options.all("--number"), options.positional
    names, streams, facts = (options.all(word) for word in ("--instance", "--insts", "--arguments"))
    if not (len(numbers) == len(images) and len(names) == len(streams) == len(facts)):
        raise InternalError(
            f"full_elf: {len(images)} configurations, {len(names)} sequences and their files do not fit"
        )
    pdis = tuple((int(number), read_bytes(path)) for number, path in zip(numbers, images))
    expanded = _Expanded(options, [number for number, _ in pdis]) if options.all("--elfs") else None
    if expanded:
        pdis += expanded.pdis
    found: dict[str, tuple[int, tuple[FullInstance, ...]]] = {}
    for name, stream, described in zip(names, streams, facts):
        kernel, _, sequence = name.partition(":")
        count, instances = found.get(kernel, (LEAST_ARGUMENTS, ()))
        text = without_late_offsets(read_bytes(stream), stream)
        instance = FullInstance(sequence, expanded.stream(text, stream) if expanded else text)
        found[kernel] = max(count, len(json.loads(read_text(described)))), (*instances, instance)
    return [FullKernel(kernel, count, pdis, instances) for kernel, (count, instances) in found.items()]


class _Expanded:
    """Configurations in sequences in the place of loads (aiecc's `--expand-load-pdis`).

    Each becomes a load of an empty PDI, which resets the array, and then the configuration's writes. Two
    empty PDIs take turns, since a firmware leaves out a load of the last one. Rule: MLIR-AIE,
    AIEExpandLoadPdi.cpp; there the empty devices come first in the module, here they have the last numbers.
    """

    def __init__(self, options: Arguments, numbers: list[int]) -> None:
        self._writes: dict[int, tuple[TxnOperation, ...]] = {}
        parts = zip(numbers, *(options.all(word) for word in ("--elfs", "--init", "--enable")))
        for number, *files in parts:
            commands = [command for path in files for command in read_cdo(read_bytes(path), path)]
            self._writes[number] = tuple(configuration_operations([*commands, *started(commands)]))
        empty = write_pdi([write_cdo([])])
        self._empty = (max(numbers) + 1, max(numbers) + 2)
        self.pdis = tuple((number, empty) for number in self._empty)

    def stream(self, text: bytes, name: str) -> bytes:
        """A sequence without loads of the configurations."""
        transaction = read_txn(text, name)
        operations: list[TxnOperation] = []
        loads = 0
        for operation in transaction.operations:
            if isinstance(operation, LoadPdi) and operation.pdi_id in self._writes:
                operations += [LoadPdi(self._empty[loads % 2], 0, 0), *self._writes[operation.pdi_id]]
                loads += 1
            else:
                operations.append(operation)
        return write_txn(transaction._replace(operations=tuple(operations)))


def _by_aiebu(assembler: str, kernels: list[FullKernel], work: str) -> bytes:
    """Asks the real tool, in a folder of its own at `work`."""
    with WorkFolder(work) as folder:

        def file(name: str, data: bytes) -> str:
            path = os.path.join(folder, name)
            with open(path, "wb") as stream:
                stream.write(data)
            return path

        pdis = [{"id": number, "PDI_file": file(f"{number}.pdi", image)} for number, image in kernels[0].pdis]
        described = [
            {
                "name": kernel.name,
                "arguments": [
                    {"name": f"arg_{place}", "type": "char *", "offset": f"{8 * place:#x}"}
                    for place in range(kernel.arguments)
                ],
                "PDIs": pdis,
                "instance": [
                    {
                        "id": instance.name,
                        "TXN_ctrl_code_file": file(f"{number}_{place}.bin", instance.stream),
                    }
                    for place, instance in enumerate(kernel.instances)
                ],
            }
            for number, kernel in enumerate(kernels)
        ]
        config = file("full_elf_config.json", json.dumps({"xrt-kernels": described}).encode())
        made = os.path.join(folder, "made.elf")
        run_tool([assembler, "-t", "aie2_config", "-j", config, "-o", made])
        return read_bytes(made)
