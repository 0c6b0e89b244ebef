// mel_vector: mel.mlir with the vectorised kernel, four frames in each call; see there.
//
//   host ─▶ @samples ─▶ core (0, 2) ─▶ @bands ─▶ host
//
// Four frames are eleven elements, of which the core gives eight back.
module @mel_vector {
  aie.device(npu1_1col) {
    %shim = aie.tile(0, 0)
    // Its tables and four frames take most of the memory: the buffers lie side by side instead of one in each bank.
    %worker = aie.tile(0, 2) {allocation_scheme = "basic-sequential"}
    func.func private @mel_vector(memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<320xi8>)

    aie.objectfifo @samples(%shim, {%worker}, 19 : i32) : !aie.objectfifo<memref<80xi16>>
    aie.objectfifo @bands(%worker, {%shim}, 2 : i32) : !aie.objectfifo<memref<320xi8>>

    %core = aie.core(%worker) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %forever = arith.constant 9223372036854775807 : index
      scf.for %clip = %c0 to %forever step %c1 {
        %head_view = aie.objectfifo.acquire @samples(Consume, 1) : !aie.objectfifosubview<memref<80xi16>>
        %head = aie.objectfifo.subview.access %head_view[0] : !aie.objectfifosubview<memref<80xi16>> -> memref<80xi16>
        %count = memref.load %head[%c0] : memref<80xi16>
        %groups = arith.index_cast %count : i16 to index
        aie.objectfifo.release @samples(Consume, 1)
        // The three elements that a group of frames shares with the one before.
        %first = aie.objectfifo.acquire @samples(Consume, 3) : !aie.objectfifosubview<memref<80xi16>>
        scf.for %group = %c0 to %groups step %c1 {
          %window = aie.objectfifo.acquire @samples(Consume, 11) : !aie.objectfifosubview<memref<80xi16>>
          %w0 = aie.objectfifo.subview.access %window[0] : !aie.objectfifosubview<memref<80xi16>> -> memref<80xi16>
          %w1 = aie.objectfifo.subview.access %window[1] : !aie.objectfifosubview<memref<80xi16>> -> memref<80xi16>
          %w2 = aie.objectfifo.subview.access %window[2] : !aie.objectfifosubview<memref<80xi16>> -> memref<80xi16>
          %w3 = aie.objectfifo.subview.access %window[3] : !aie.objectfifosubview<memref<80xi16>> -> memref<80xi16>
          %w4 = aie.objectfifo.subview.access %window[4] : !aie.objectfifosubview<memref<80xi16>> -> memref<80xi16>
          %w5 = aie.objectfifo.subview.access %window[5] : !aie.objectfifosubview<memref<80xi16>> -> memref<80xi16>
          %w6 = aie.objectfifo.subview.access %window[6] : !aie.objectfifosubview<memref<80xi16>> -> memref<80xi16>
          %w7 = aie.objectfifo.subview.access %window[7] : !aie.objectfifosubview<memref<80xi16>> -> memref<80xi16>
          %w8 = aie.objectfifo.subview.access %window[8] : !aie.objectfifosubview<memref<80xi16>> -> memref<80xi16>
          %w9 = aie.objectfifo.subview.access %window[9] : !aie.objectfifosubview<memref<80xi16>> -> memref<80xi16>
          %w10 = aie.objectfifo.subview.access %window[10] : !aie.objectfifosubview<memref<80xi16>> -> memref<80xi16>
          %out_view = aie.objectfifo.acquire @bands(Produce, 1) : !aie.objectfifosubview<memref<320xi8>>
          %out = aie.objectfifo.subview.access %out_view[0] : !aie.objectfifosubview<memref<320xi8>> -> memref<320xi8>
          func.call @mel_vector(%w0, %w1, %w2, %w3, %w4, %w5, %w6, %w7, %w8, %w9, %w10, %out) : (memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<320xi8>) -> ()
          aie.objectfifo.release @samples(Consume, 8)
          aie.objectfifo.release @bands(Produce, 1)
        }
        aie.objectfifo.release @samples(Consume, 3)
      }
      aie.end
      // The number of frames is known at run time only, so the core counts through the rings instead of unrolling its loops.
      // The kernel keeps its frame in static buffers; the stack holds less than one transform of 8 points.
    } {dynamic_objfifo_lowering = true, link_with = "mel_vector.o", stack_size = 2048 : i32}

    // 1 + 3 + 2 * 3000 elements in, 3000 frames out.
    aiex.runtime_sequence @sequence(%samples_in : memref<480320xi16>, %bands_out : memref<240000xi8>) {
      aiex.npu.dma_memcpy_nd(%bands_out[0, 0, 0, 0][1, 1, 1, 240000][0, 0, 0, 1]) {id = 0 : i64, metadata = @bands} : memref<240000xi8>
      aiex.npu.dma_memcpy_nd(%samples_in[0, 0, 0, 0][1, 1, 1, 480320][0, 0, 0, 1]) {id = 1 : i64, metadata = @samples} : memref<480320xi16>
      aiex.npu.dma_wait {symbol = @bands}
    }
  }
}
