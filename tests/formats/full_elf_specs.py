"""Full ELFs by the seed of a random number, and the same given to aiebu-asm."""

from __future__ import annotations

import itertools
import json
import random
import struct
import subprocess
from pathlib import Path

from npuninja.formats.full_elf import FullInstance, FullKernel, write_full_elf
from npuninja.formats.instruction_elf import write_instruction_elf
from npuninja.formats.txn import (
    AddressPatch,
    BlockWrite,
    CreateScratchpad,
    LoadPdi,
    Transaction,
    TxnOperation,
    UpdateFromScratchpad,
    Write,
    read_txn,
    write_txn,
)

KERNELS = ("main", "a", "b", "add_two", "kernel_of_more", "zz", "x1.y")
INSTANCES = ("sequence", "run", "S", "s_2", "aa")


def operations(rng: random.Random, numbers: list[int]) -> list[TxnOperation]:
    """Some operations of which XRT fills in most."""
    made: list[TxnOperation] = [Write(4, 5)]
    written: list[int] = []
    for _ in range(rng.randrange(8)):
        kind = rng.randrange(6)
        if kind == 0 and numbers:
            made.append(LoadPdi(rng.choice(numbers), rng.choice((0, 99)), 0))
        elif kind == 1:
            made.append(CreateScratchpad(0, rng.choice((4, 8)), 0))
        elif kind == 2:
            made.append(UpdateFromScratchpad(rng.randrange(32), rng.randrange(3), rng.randrange(9), 0x1D004))
        elif kind == 3 or not written:
            number = rng.randrange(16)
            written = [other for other in written if other != number] + [number]
            words = (4 * rng.randrange(1, 9), rng.getrandbits(32), rng.getrandbits(32), 0, 0, 0, 0, 1 << 25)
            made.append(BlockWrite(0x1D000 + 32 * written[-1], struct.pack("<8I", *words)))
        else:
            register = 0x1D004 + 32 * written.pop(rng.randrange(len(written)))
            made.append(AddressPatch(register, rng.randrange(7), rng.randrange(1 << rng.choice((4, 31)))))
    return made


def sends(operations_: list[TxnOperation], argument: int) -> bool:
    return any(isinstance(op, AddressPatch) and op.argument == argument for op in operations_)


def spec(seed: int) -> list[FullKernel]:
    """Some kernels with PDIs of random bytes."""
    rng = random.Random(seed)
    images = {number: rng.randbytes(rng.choice((16, 33, 160))) for number in rng.sample(range(1, 120), 4)}
    columns = rng.randrange(1, 9)
    kernels = []
    for name in rng.sample(KERNELS, rng.randrange(1, 4)):
        numbers = rng.sample(sorted(images), rng.randrange(5))
        instances = []
        for instance in rng.sample(INSTANCES, rng.randrange(1, 4)):
            made = operations(rng, numbers)
            packets = rng.randbytes(4 * rng.randrange(1, 9)) if rng.random() < 0.3 else b""
            argument = rng.randrange(7)
            has = bool(packets) and sends(made, argument)
            stream = write_txn(Transaction(4, 6, columns, 1, tuple(made)))
            instances.append(FullInstance(instance, stream, packets, argument if has else -1))
        pdis = tuple((number, images[number]) for number in numbers)
        kernels.append(FullKernel(name, rng.randrange(7), pdis, tuple(instances)))
    return kernels


def patch_of(instance: FullInstance) -> dict[str, object]:
    """What aiecc says to the assembler about the control packets of a sequence."""
    buffer = {
        "xrt_id": instance.control_argument if instance.control_argument >= 0 else 63,
        "logical_id": -1,
        "size_in_bytes": len(instance.control_packets),
        "ctrl_pkt_buffer": 1,
        "name": "runtime_control_packet",
    }
    return {"external_buffers": {"buffer_ctrl": buffer}}


def by_aiebu(assembler: str, kernels: list[FullKernel], folder: Path) -> bytes:
    """The file that aiebu-asm makes of the same."""
    made = []
    for kernel in kernels:
        instances = []
        for instance in kernel.instances:
            stem = folder / f"{len(made)}_{len(instances)}"
            stem.with_suffix(".bin").write_bytes(instance.stream)
            entry = {"id": instance.name, "TXN_ctrl_code_file": str(stem.with_suffix(".bin"))}
            if instance.control_packets:
                stem.with_suffix(".ctrl").write_bytes(instance.control_packets)
                stem.with_suffix(".json").write_text(json.dumps(patch_of(instance)))
                entry["ctrl_packet_file"] = str(stem.with_suffix(".ctrl"))
                entry["patch_info_file"] = str(stem.with_suffix(".json"))
            instances.append(entry)
        pdis = []
        for number, image in kernel.pdis:
            (folder / f"{number}.pdi").write_bytes(image)
            pdis.append({"id": number, "PDI_file": str(folder / f"{number}.pdi")})
        arguments = [
            {"name": f"arg_{i}", "type": "char *", "offset": hex(8 * i)} for i in range(kernel.arguments)
        ]
        made.append({"name": kernel.name, "arguments": arguments, "PDIs": pdis, "instance": instances})
    (folder / "config.json").write_text(json.dumps({"xrt-kernels": made}))
    command = [
        assembler,
        "-t",
        "aie2_config",
        "-j",
        str(folder / "config.json"),
        "-o",
        str(folder / "made.elf"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return (folder / "made.elf").read_bytes()


def alone(seed: int) -> FullInstance:
    """A sequence for an ELF of instructions alone: without loads; every other one has control packets."""
    instance = next(
        i
        for number in itertools.count(100 * seed)
        for k in spec(number)
        for i in k.instances
        if wants(i, seed)
    )
    return instance if seed % 2 else instance._replace(control_packets=b"", control_argument=-1)


def wants(instance: FullInstance, seed: int) -> bool:
    loads = any(isinstance(op, LoadPdi) for op in read_txn(instance.stream).operations)
    return not loads and (instance.control_argument >= 0 or not seed % 2)


def alone_by_aiebu(assembler: str, instance: FullInstance, folder: Path) -> bytes:
    """The ELF that aiebu-asm makes of instructions alone."""
    (folder / "insts.bin").write_bytes(instance.stream)
    command = [assembler, "-t", "aie2txn", "-c", str(folder / "insts.bin"), "-o", str(folder / "made.elf")]
    if instance.control_packets:
        (folder / "packets.bin").write_bytes(instance.control_packets)
        (folder / "patch.json").write_text(json.dumps(patch_of(instance)))
        command += ["-p", str(folder / "packets.bin"), "-j", str(folder / "patch.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return (folder / "made.elf").read_bytes()


def alone_here(instance: FullInstance) -> bytes:
    return write_instruction_elf(
        instance.stream, "insts.bin", instance.control_packets, instance.control_argument
    )


def made_here(seed: int) -> bytes:
    return write_full_elf(spec(seed))
