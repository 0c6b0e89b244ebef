"""The log-mel designs with four cores in each column, as MLIR: common to mel_4core.py and mel_16core.py.

    host ─▶ shim ─▶ memory tile ─┬─▶ core 2: the column's first quarter ─┬─▶ memory tile ─▶ shim ─▶ host
                                 ├─▶ core 3: the second                  ├
                                 ├─▶ core 4: the third                   ├
                                 └─▶ core 5: the fourth                  ┘

The shim's DMA walks over the four quarters of the column's frames side by side, 80 samples of each: an
element at the memory tile holds one for every core; the memory tile distributes them, and joins the frames
that come back. The quarters overlap by three elements, which are sent twice. mel.mlir explains what a core
does.
"""

ROWS = 4
MAX_FRAMES = 3000
FRAME_ELEMENTS, SHARED = 2, 3  # elements from one frame to the next; those it shares with the one before
SAMPLES, BANDS = 80, 80  # of an element; of a frame

ELEMENT = f"memref<{SAMPLES}xi16>"
OUT = f"memref<{BANDS}xi8>"


def _subview(memref):
    return f"!aie.objectfifosubview<{memref}>"


def _core(name):
    """The body of one core, and its attributes."""
    fifo, out = f"@samples_{name}", f"@bands_{name}"
    windows = [f"%w{i}" for i in range(5)]
    accesses = "\n".join(
        f"          {w} = aie.objectfifo.subview.access %window[{i}] : {_subview(ELEMENT)} -> {ELEMENT}"
        for i, w in enumerate(windows)
    )
    types = ", ".join([ELEMENT] * 5 + [OUT])
    return f"""
    %core_{name} = aie.core(%tile_{name}) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %forever = arith.constant 9223372036854775807 : index
      scf.for %clip = %c0 to %forever step %c1 {{
        %head_view = aie.objectfifo.acquire {fifo}(Consume, 1) : {_subview(ELEMENT)}
        %head = aie.objectfifo.subview.access %head_view[0] : {_subview(ELEMENT)} -> {ELEMENT}
        %count = memref.load %head[%c0] : {ELEMENT}
        %frames = arith.index_cast %count : i16 to index
        aie.objectfifo.release {fifo}(Consume, 1)
        %first = aie.objectfifo.acquire {fifo}(Consume, {SHARED}) : {_subview(ELEMENT)}
        scf.for %frame = %c0 to %frames step %c1 {{
          %window = aie.objectfifo.acquire {fifo}(Consume, 5) : {_subview(ELEMENT)}
{accesses}
          %out_view = aie.objectfifo.acquire {out}(Produce, 1) : {_subview(OUT)}
          %out = aie.objectfifo.subview.access %out_view[0] : {_subview(OUT)} -> {OUT}
          func.call @mel({", ".join(windows)}, %out) : ({types}) -> ()
          aie.objectfifo.release {fifo}(Consume, {FRAME_ELEMENTS})
          aie.objectfifo.release {out}(Produce, 1)
        }}
        aie.objectfifo.release {fifo}(Consume, {SHARED})
      }}
      aie.end
    }} {{dynamic_objfifo_lowering = true, link_with = "mel.o", stack_size = 2048 : i32}}"""


def _column(column):
    """Tiles, fifos and cores of a column."""
    names = [f"{column}_{row}" for row in range(2, 2 + ROWS)]
    lines = [f"    %shim_{column} = aie.tile({column}, 0)", f"    %memtile_{column} = aie.tile({column}, 1)"]
    lines += [f"    %tile_{name} = aie.tile({column}, {row})" for row, name in enumerate(names, 2)]
    wide_in, wide_out = f"memref<{ROWS * SAMPLES}xi16>", f"memref<{ROWS * BANDS}xi8>"
    lines.append(
        f"    aie.objectfifo @samples_{column}(%shim_{column}, {{%memtile_{column}}}, 2 : i32) : "
        f"!aie.objectfifo<{wide_in}>"
    )
    for name in names:
        ends = f"(%memtile_{column}, {{%tile_{name}}}, [2, 8])"
        lines.append(f"    aie.objectfifo @samples_{name}{ends} : !aie.objectfifo<{ELEMENT}>")
    for name in names:
        ends = f"(%tile_{name}, {{%memtile_{column}}}, [2, 2])"
        lines.append(f"    aie.objectfifo @bands_{name}{ends} : !aie.objectfifo<{OUT}>")
    lines.append(
        f"    aie.objectfifo @bands_{column}(%memtile_{column}, {{%shim_{column}}}, 2 : i32) : "
        f"!aie.objectfifo<{wide_out}>"
    )
    parts_in = ", ".join(f"@samples_{name}" for name in names)
    parts_out = ", ".join(f"@bands_{name}" for name in names)
    in_offsets = ", ".join(str(SAMPLES * i) for i in range(ROWS))
    out_offsets = ", ".join(str(BANDS * i) for i in range(ROWS))
    lines.append(f"    aie.objectfifo.link [@samples_{column}] -> [{parts_in}] ([] [{in_offsets}])")
    lines.append(f"    aie.objectfifo.link [{parts_out}] -> [@bands_{column}] ([{out_offsets}] [])")
    return "\n".join(lines) + "\n" + "\n".join(_core(name) for name in names)


def _copy(argument, memref, offset, sizes, strides, number, fifo):
    return (
        f"      aiex.npu.dma_memcpy_nd(%{argument}[0, 0, 0, {offset}]{sizes}{strides}) "
        f"{{id = {number} : i64, metadata = @{fifo}}} : {memref}"
    )


def module(name, device, columns):
    """The design's MLIR: for each column a shim, a memory tile and four cores. The sequence is for 30 s."""
    part = -(-MAX_FRAMES // (ROWS * columns))  # frames of a core
    frames = part * ROWS * columns
    head = ROWS * SAMPLES
    samples = f"memref<{head + SAMPLES * (SHARED + FRAME_ELEMENTS * frames)}xi16>"
    bands = f"memref<{frames * BANDS}xi8>"
    sequence = []
    for column in range(columns):
        first = column * ROWS * part
        elements = SHARED + FRAME_ELEMENTS * part
        apart = part * FRAME_ELEMENTS * SAMPLES
        sequence += [
            _copy(
                *("bands_out", bands, first * BANDS),
                *([1, part, ROWS, BANDS], [0, BANDS, part * BANDS, 1], 0, f"bands_{column}"),
            ),
            _copy("samples_in", samples, 0, [1, 1, 1, head], [0, 0, 0, 1], 1, f"samples_{column}"),
            _copy(
                *("samples_in", samples, head + first * FRAME_ELEMENTS * SAMPLES),
                *([1, elements, ROWS, SAMPLES], [0, SAMPLES, apart, 1], 2, f"samples_{column}"),
            ),
        ]
    sequence += [f"      aiex.npu.dma_wait {{symbol = @bands_{column}}}" for column in range(columns)]
    body = "\n\n".join(_column(column) for column in range(columns))
    types = ", ".join([ELEMENT] * 5 + [OUT])
    return f"""module @{name} {{
  aie.device({device}) {{
    func.func private @mel({types})

{body}

    aiex.runtime_sequence @sequence(%samples_in : {samples}, %bands_out : {bands}) {{
{chr(10).join(sequence)}
    }}
  }}
}}"""
