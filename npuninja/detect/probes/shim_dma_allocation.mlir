// Read by an aie-opt of 2025-12-17 or later; before, a column stood where the tile is.
module {
  aie.device(npu1_1col) {
    %tile = aie.tile(0, 0)
    aie.shim_dma_allocation @allocation (%tile, MM2S, 0)
  }
}
