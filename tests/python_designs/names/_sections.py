"""Small designs, one for some names of the bindings, printed one after the other."""

import inspect

from aie.dialects.aie import AIEDevice, device, tile
from aie.extras.context import mlir_mod_ctx

SECTIONS = []


def section(*names):
    """`@section("buffer")`: a part of a device; its parameters are what it wants: `core_tile`, `mem_tile`,
    `shim`.
    """

    def add(function):
        SECTIONS.append((names, function))
        return function

    return add


PLACES = {"core_tile": (0, 2), "other": (0, 3), "mem_tile": (0, 1), "shim": (0, 0)}


def print_sections(whole_modules=False):
    """Prints each section's module after its names; `whole_modules`: sections make their devices."""
    for names, function in SECTIONS:
        print("// " + " ".join(names))
        with mlir_mod_ctx() as ctx:
            if whole_modules:
                made = function()
            else:
                made = None

                @device(AIEDevice.npu1)
                def body(function=function):
                    function(**{p: tile(*PLACES[p]) for p in inspect.signature(function).parameters})

        print(ctx.module if made is None else made)
