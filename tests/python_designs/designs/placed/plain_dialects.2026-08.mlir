module {
  aie.device(npu2) {
    %tile_0_2 = aie.tile(0, 2)
    %shim_noc_tile_0_0 = aie.tile(0, 0)
    aie.objectfifo @given(%shim_noc_tile_0_0, {%tile_0_2}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
    %kept = aie.buffer(%tile_0_2) {sym_name = "kept"} : memref<16xi32> 
    %core_0_2 = aie.core(%tile_0_2) {
      %0 = aie.objectfifo.acquire @given(Consume, 1) : !aie.objectfifosubview<memref<16xi32>>
      %1 = aie.objectfifo.subview.access %0[0] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>
      %2 = memref.reinterpret_cast %1 to offset: [0], sizes: [4, 4], strides: [4, 1] : memref<16xi32> to memref<4x4xi32>
      %3 = memref.cast %1 : memref<16xi32> to memref<?xi32>
      %4 = memref.subview %1[2] [8] [1] : memref<16xi32> to memref<8xi32, strided<[1], offset: 2>>
      %c0 = arith.constant 0 : index
      %c5_i32 = arith.constant 5 : i32
      memref.store %c5_i32, %4[%c0] : memref<8xi32, strided<[1], offset: 2>>
      %c0_0 = arith.constant 0 : index
      %5 = vector.load %kept[%c0_0] : memref<16xi32>, vector<4xi32>
      %6 = arith.addi %5, %5 : vector<4xi32>
      %7 = vector.reduction<add>, %6 : vector<4xi32> into i32
      %cst = arith.constant 1.000000e+00 : f32
      %cst_1 = arith.constant 2.000000e+00 : f32
      %8 = arith.cmpf olt, %cst, %cst_1 : f32
      aie.end
    }
  }
}

