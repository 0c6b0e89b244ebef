"""A project whose designs negate 64 bytes in a kernel of their own, and what is written to make one."""

from __future__ import annotations

from pathlib import Path

import pytest
from build_project import Project

DESIGN = """\
module {
  aie.device(npu1) {
    func.func private @negate(memref<64xi8>, memref<64xi8>)
    %host = aie.tile(0, 0)
    %work = aie.tile(0, 2)
    aie.objectfifo @src(%host, {%work}, 2 : i32) : !aie.objectfifo<memref<64xi8>>
    aie.objectfifo @dst(%work, {%host}, 2 : i32) : !aie.objectfifo<memref<64xi8>>
    %core = aie.core(%work) {
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %many = arith.constant 0xFFFFFFFF : index
      scf.for %turn = %zero to %many step %one {
        %sv = aie.objectfifo.acquire @src(Consume, 1) : !aie.objectfifosubview<memref<64xi8>>
        %s = aie.objectfifo.subview.access %sv[0] : !aie.objectfifosubview<memref<64xi8>> -> memref<64xi8>
        %dv = aie.objectfifo.acquire @dst(Produce, 1) : !aie.objectfifosubview<memref<64xi8>>
        %d = aie.objectfifo.subview.access %dv[0] : !aie.objectfifosubview<memref<64xi8>> -> memref<64xi8>
        func.call @negate(%s, %d) : (memref<64xi8>, memref<64xi8>) -> ()
        aie.objectfifo.release @src(Consume, 1)
        aie.objectfifo.release @dst(Produce, 1)
      }
      aie.end
    } {link_with = "OBJECT"}
    aiex.runtime_sequence(%a : memref<64xi8>, %b : memref<64xi8>) {
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 64][0, 0, 0, 1]) {metadata = @src, id = 1 : i64} : memref<64xi8>
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, 64][0, 0, 0, 1]) {metadata = @dst, id = 0 : i64} : memref<64xi8>
      aiex.npu.dma_wait {symbol = @dst}
    }
  }
}
"""

REFERENCE = """\
import numpy as np


def inputs(rng, arguments):
    return [rng.integers(-20, 20, a.shape, a.dtype) for a in arguments if a.is_input]


def reference(inputs):
    return [(inputs[0] * FACTOR).astype(np.int8)]
"""

KERNEL = """\
#include <stdint.h>

void negate(const int8_t *in, int8_t *out) {
    for (int i = 0; i < 64; i++)
        out[i] = (int8_t)(in[i] * (FACTOR));
}
"""


class NegateProject(Project):
    """An empty project; `design` adds a design."""

    def design(self, name: str, link_with: str, factor: int = -1) -> None:
        """A design that is linked with an object and whose outputs are its inputs times a factor."""
        self.write(f"mlir/{name}.mlir", DESIGN.replace("OBJECT", link_with))
        self.write(f"host/{name}.py", REFERENCE.replace("FACTOR", str(factor)))

    def right(self, *names: str) -> None:
        """Builds, runs and verifies designs."""
        printed = self.ninja(*(f"run-{name}" for name in names)).stdout
        assert printed.count("all 64 elements are right") == len(names), printed


@pytest.fixture
def empty(tmp_path: Path, tools: Path) -> NegateProject:
    """A project without anything, in a folder with a blank and a colon in its name."""
    folder = tmp_path / "a: project"
    (folder / "mlir").mkdir(parents=True)
    return NegateProject(folder, tools)
