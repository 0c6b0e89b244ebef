"""A design with more host buffers than the five of most kernels: text `SEVEN`."""

#: Three pairs go through a memory tile one after the other; `gap` is passed, and nothing moves it.
TRANSFER = """
      %out{0} = aiex.dma_configure_task_for @from {{
        aie.dma_bd(%c{0} : memref<256xi32>, 0, 256) aie.end
      }} {{issue_token = true}}
      %in{0} = aiex.dma_configure_task_for @to {{
        aie.dma_bd(%a{0} : memref<256xi32>, 0, 256) aie.end
      }}
      aiex.dma_start_task(%out{0}) aiex.dma_start_task(%in{0}) aiex.dma_await_task(%out{0})
      aiex.dma_free_task(%in{0})"""
SEVEN = f"""module {{
  aie.device(npu1_1col) {{
    %shim = aie.tile(0, 0)
    %mem = aie.tile(0, 1)
    aie.objectfifo @to(%shim, {{%mem}}, 2 : i32) : !aie.objectfifo<memref<64xi32>>
    aie.objectfifo @from(%mem, {{%shim}}, 2 : i32) : !aie.objectfifo<memref<64xi32>>
    aie.objectfifo.link [@to] -> [@from] ([] [])
    aie.runtime_sequence({", ".join(f"%{n} : memref<256xi32>" for n in ("a0", "c0", "a1", "c1", "gap", "a2", "c2"))}) {{
      {"".join(TRANSFER.format(number) for number in range(3))}
    }}
  }}
}}
"""
