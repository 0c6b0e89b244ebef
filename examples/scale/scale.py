"""Multiplies int16 numbers by the kernel's factor, 1,024 at a time, on one core."""

import argparse
import sys

import numpy as np
from aie.iron import Kernel, ObjectFifo, Program, Runtime, Worker
from aie.iron.controlflow import range_
from aie.iron.device import NPU1Col1, NPU2Col1
from aie.iron.placers import SequentialPlacer

TILE = 1024


def design(device, elements):
    tile_type = np.ndarray[(TILE,), np.dtype[np.int16]]
    whole_type = np.ndarray[(elements,), np.dtype[np.int16]]
    scale = Kernel("scale", "scale.o", [tile_type, tile_type, np.int32])
    numbers = ObjectFifo(tile_type, name="numbers")
    products = ObjectFifo(tile_type, name="products")

    def core(numbers, products, scale):
        for _ in range_(elements // TILE):
            source = numbers.acquire(1)
            target = products.acquire(1)
            scale(source, target, TILE)
            numbers.release(1)
            products.release(1)

    worker = Worker(core, [numbers.cons(), products.prod(), scale])
    runtime = Runtime()
    with runtime.sequence(whole_type, whole_type) as (a, b):
        runtime.start(worker)
        runtime.fill(numbers.prod(), a)
        runtime.drain(products.cons(), b, wait=True)
    return Program(device, runtime).resolve_program(SequentialPlacer())


parser = argparse.ArgumentParser()
parser.add_argument("--device", choices=["npu1", "npu2"], default="npu1")
parser.add_argument("--elements", type=int, default=4096)
options = parser.parse_args(sys.argv[1:])
print(design({"npu1": NPU1Col1(), "npu2": NPU2Col1()}[options.device], options.elements))
