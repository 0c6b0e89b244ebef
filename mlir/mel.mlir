// mel: Whisper's log-mel spectrum on one core, a whole clip in one run.
//
//   host ─▶ @samples ─▶ core (0, 2) ─▶ @bands ─▶ host
//
// A frame is 400 samples, the next one begins 160 later. The fifo's elements are 80 samples, so a frame is five elements,
// of which the core gives two back: every sample is sent once, and a core that holds a window over a stream is all there
// is to it. Eight elements in the ring: five are held, the DMA fills the others meanwhile.
//
// A clip begins with an element whose first sample is the number of frames. So clips of any length run on this one design,
// and nothing of a clip is left in the core when it ends. The sequence below is for 30 s; only the lengths of its two
// transfers depend on the clip, and examples/mel/whisper_mel/clip.py sets them in the instructions.
module @mel {
  aie.device(npu1_1col) {
    %shim = aie.tile(0, 0)
    %worker = aie.tile(0, 2)
    func.func private @mel(memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi8>)

    aie.objectfifo @samples(%shim, {%worker}, 8 : i32) : !aie.objectfifo<memref<80xi16>>
    aie.objectfifo @bands(%worker, {%shim}, 2 : i32) : !aie.objectfifo<memref<80xi8>>

    %core = aie.core(%worker) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %forever = arith.constant 9223372036854775807 : index
      scf.for %clip = %c0 to %forever step %c1 {
        %head_view = aie.objectfifo.acquire @samples(Consume, 1) : !aie.objectfifosubview<memref<80xi16>>
        %head = aie.objectfifo.subview.access %head_view[0] : !aie.objectfifosubview<memref<80xi16>> -> memref<80xi16>
        %count = memref.load %head[%c0] : memref<80xi16>
        %frames = arith.index_cast %count : i16 to index
        aie.objectfifo.release @samples(Consume, 1)
        // The three elements that a frame shares with the one before.
        %first = aie.objectfifo.acquire @samples(Consume, 3) : !aie.objectfifosubview<memref<80xi16>>
        scf.for %frame = %c0 to %frames step %c1 {
          %window = aie.objectfifo.acquire @samples(Consume, 5) : !aie.objectfifosubview<memref<80xi16>>
          %w0 = aie.objectfifo.subview.access %window[0] : !aie.objectfifosubview<memref<80xi16>> -> memref<80xi16>
          %w1 = aie.objectfifo.subview.access %window[1] : !aie.objectfifosubview<memref<80xi16>> -> memref<80xi16>
          %w2 = aie.objectfifo.subview.access %window[2] : !aie.objectfifosubview<memref<80xi16>> -> memref<80xi16>
          %w3 = aie.objectfifo.subview.access %window[3] : !aie.objectfifosubview<memref<80xi16>> -> memref<80xi16>
          %w4 = aie.objectfifo.subview.access %window[4] : !aie.objectfifosubview<memref<80xi16>> -> memref<80xi16>
          %out_view = aie.objectfifo.acquire @bands(Produce, 1) : !aie.objectfifosubview<memref<80xi8>>
          %out = aie.objectfifo.subview.access %out_view[0] : !aie.objectfifosubview<memref<80xi8>> -> memref<80xi8>
          func.call @mel(%w0, %w1, %w2, %w3, %w4, %out) : (memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi16>, memref<80xi8>) -> ()
          aie.objectfifo.release @samples(Consume, 2)
          aie.objectfifo.release @bands(Produce, 1)
        }
        aie.objectfifo.release @samples(Consume, 3)
      }
      aie.end
      // The number of frames is known at run time only, so the core counts through the rings instead of unrolling its loops.
      // The kernel keeps its frame in static buffers; the stack holds less than one transform of 8 points.
    } {dynamic_objfifo_lowering = true, link_with = "mel.o", stack_size = 2048 : i32}

    // 1 + 3 + 2 * 3000 elements in, 3000 frames out.
    aiex.runtime_sequence @sequence(%samples_in : memref<480320xi16>, %bands_out : memref<240000xi8>) {
      aiex.npu.dma_memcpy_nd(%bands_out[0, 0, 0, 0][1, 1, 1, 240000][0, 0, 0, 1]) {id = 0 : i64, metadata = @bands} : memref<240000xi8>
      aiex.npu.dma_memcpy_nd(%samples_in[0, 0, 0, 0][1, 1, 1, 480320][0, 0, 0, 1]) {id = 1 : i64, metadata = @samples} : memref<480320xi16>
      aiex.npu.dma_wait {symbol = @bands}
    }
  }
}
