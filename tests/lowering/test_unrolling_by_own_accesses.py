"""Loops of 2026-08 are unrolled by the depths of the fifos that they use themselves, as the text says."""

from __future__ import annotations

import pytest

from npuninja.commands.lower import lower_design
from npuninja.errors import Warnings

#: A core that holds two objects of @w, in each outer trip seven times three of @x, given back in different
#: loops (the pattern of MLIR-AIE's test objectfifo_cyclostatic_both_outer_inner).
DESIGN = """module {
  aie.device(npu2) {
    %shim = aie.tile(0, 0)
    %core = aie.tile(0, 2)
    aie.objectfifo @w(%shim, {%core}, WDEPTH : i32) : !aie.objectfifo<memref<8xi8>>
    aie.objectfifo @x(%shim, {%core}, 4 : i32) : !aie.objectfifo<memref<8xi8>>
    %c = aie.core(%core) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c4 = arith.constant 4 : index
      %c7 = arith.constant 7 : index
      %end = arith.constant 9223372036854775807 : index
      scf.for %round = %c0 to %end step %c1 {
        scf.for %i = %c0 to %c4 step %c1 {
          %w = aie.objectfifo.acquire @w(Consume, 2) : !aie.objectfifosubview<memref<8xi8>>
          %w0 = aie.objectfifo.subview.access %w[0] : !aie.objectfifosubview<memref<8xi8>> -> memref<8xi8>
          scf.for %j = %c0 to %c7 step %c1 {
            %x = aie.objectfifo.acquire @x(Consume, 3) : !aie.objectfifosubview<memref<8xi8>>
            %x0 = aie.objectfifo.subview.access %x[0] : !aie.objectfifosubview<memref<8xi8>> -> memref<8xi8>
            %v = memref.load %w0[%c0] : memref<8xi8>
            memref.store %v, %x0[%c0] : memref<8xi8>
            aie.objectfifo.release @x(Consume, 1)
          }
          aie.objectfifo.release @x(Consume, 2)
          aie.objectfifo.release @w(Consume, 1)
        }
        aie.objectfifo.release @w(Consume, 1)
      }
      aie.end
    }
  }
}
"""


@pytest.mark.parametrize("depth", [3, 4])  # of which the core's end has three: it takes two at once
def test_a_loop_counts_what_it_uses_itself(depth: int) -> None:
    files = lower_design(DESIGN.replace("WDEPTH", str(depth)), "d.mlir", None, "2026-08", Warnings())
    text = dict(files)["input_with_addresses.mlir"].decode()
    # The loop over %i uses @w and @x (by 12: all four trips), that over %j @x (by 4, then the three left),
    # the endless one gives back @w only: three trips at once, and 2^63 - 1 of them leave one.
    assert text.count("memref.store") == (3 + 1) * 4 * 7
