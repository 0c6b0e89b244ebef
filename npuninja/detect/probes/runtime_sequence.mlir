// Read by an aie-opt of 2025-11-18 or later; before, the operation was aiex.runtime_sequence.
module {
  aie.device(npu1_1col) {
    aie.runtime_sequence @sequence(%a : memref<16xi32>) {
    }
  }
}
