"""Names that hold everywhere, however project, build, npuninja and tools lie in each other."""

from __future__ import annotations

import pytest

from npuninja.packaging.places import BuildFolders, UsedTool

ZIG = UsedTool("ziglang", "0.17.1", "ziglang-0.17.1-0a1b2c3d", "/p/.venv/ziglang/zig")
BOOTGEN = UsedTool("bootgen", "2022.2", "bootgen-2022.2-01234567", "/p/bootgen")
CLANG = UsedTool("clang", "19.1", "clang-19.1-01234567", "/usr/bin/clang-19")
PLACES = BuildFolders("/p", "/p/build", "/p/npuninja", [ZIG, BOOTGEN, CLANG])


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/p/kernels/gain/gain.c", ("source", "kernels/gain/gain.c")),
        ("/p/mlir/../mlir/gain.mlir", ("source", "mlir/gain.mlir")),
        ("/p/build/npu1/gain.o", ("build", "build/npu1/gain.o")),
        ("/p/buildings/x.c", ("source", "buildings/x.c")),
        ("/p/npuninja/stages/lower.py", ("npuninja", "npuninja/stages/lower.py")),
        ("/p/.venv/ziglang/zig", ("tool", "ziglang")),
        ("/p/.venv/ziglang/lib/include/stdint.h", ("tool", "tools/ziglang/lib/include/stdint.h")),
        (
            "/p/bootgen",
            ("tool", "bootgen"),
        ),  # a tool at the top of the project does not make all of it a tool
        ("/usr/bin/clang-19", ("tool", "clang")),
        ("/usr/lib/clang/19/include/stdint.h", ("other", "stdint.h")),
    ],
)
def test_the_innermost_folder_counts(path, place):
    assert PLACES.place(path) == place


def test_identities_lose_what_is_of_the_machine():
    assert PLACES.identity("ziglang-0.17.1-0a1b2c3d") == "ziglang-0.17.1"
    assert PLACES.identity("ziglang") is None
