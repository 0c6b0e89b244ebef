"""Every factory of `aie.iron.kernels` with its defaults: symbol, object, types, compiler flags."""

# generations: 2026-08

import inspect
import os

import aie.iron as iron
from aie.iron import ExternalFunction, kernels
from aie.iron.device import NPU1, NPU2

for device in (NPU1(), NPU2()):
    iron.set_current_device(device)
    print(f"module for {type(device).__name__}")
    for name in sorted(kernels.__all__):
        factory = getattr(kernels, name)
        if name.endswith("_ref"):
            continue
        parameters = inspect.signature(factory).parameters.values()
        assert all(p.default is not inspect.Parameter.empty for p in parameters), name
        ExternalFunction.instances.clear()  # each stands for a design of its own
        kernel = factory()
        types = ", ".join(str(t).replace("numpy.", "np.") for t in kernel.arg_types())
        flags = " ".join(kernel.build_flags)
        source = os.path.basename(kernel.source_file or "-")
        print(f"{name}: {kernel.name} {kernel.object_file_name} {source} [{flags}]")
        print(f"    {types}")
