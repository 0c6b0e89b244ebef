"""gemm_cascade: a matrix product of int16 whose depth is shared by the four cores of a column.

C (32 by 32) = A (32 by 256) · B (256 by 32). The memory tile gives each core a quarter of the depth; the sums
go down the column by the cascade, and the lowest core stores them.
"""

ROWS, DEPTH, COLUMNS, CORES = 32, 64, 32, 4
R, S, T = 4, 4, 8  # the blocks of the kernel
PIECE = ROWS * DEPTH


def text():
    """The design."""
    pair, half, c = f"memref<{2 * PIECE}xi16>", f"memref<{4 * PIECE}xi16>", f"memref<{ROWS * COLUMNS}xi32>"
    lines = ["module @gemm_cascade {", "  aie.device(npu1_1col) {"]
    for name, arguments in (("first", pair), ("middle", pair), ("last", f"{pair}, {c}")):
        lines.append(
            f'    func.func private @gemm_{name}({arguments}) attributes {{link_with = "gemm_cascade.o"}}'
        )
    lines += ["    %shim = aie.tile(0, 0)", "    %memory = aie.tile(0, 1)"]
    lines += [
        f"    %core_{i} = aie.tile(0, {CORES + 1 - i})" for i in range(CORES)
    ]  # the first is the highest
    lines += [f"    aie.cascade_flow(%core_{i}, %core_{i + 1})" for i in range(CORES - 1)]
    for i in range(CORES):  # a piece of A and one of B
        lines.append(f"    aie.objectfifo @ab_{i}(%memory, {{%core_{i}}}, 2 : i32) : !aie.objectfifo<{pair}>")
    for k in range(2):
        lines.append(f"    aie.objectfifo @in_{k}(%shim, {{%memory}}, 2 : i32) : !aie.objectfifo<{half}>")
        lines.append(
            f"    aie.objectfifo.link [@in_{k}] -> [@ab_{2 * k}, @ab_{2 * k + 1}] ([] [0, {2 * PIECE}])"
        )
    lines.append(f"    aie.objectfifo @c(%core_{CORES - 1}, {{%shim}}, 2 : i32) : !aie.objectfifo<{c}>")
    for i in range(CORES):
        lines += core(i, pair, c)
    return "\n".join([*lines, *sequence(), "  }", "}"])


def core(i, pair, c):
    """The program of one core: its share of a product each round."""
    name = "first" if i == 0 else "last" if i == CORES - 1 else "middle"
    fifos = [(f"ab_{i}", "Consume", pair)] + ([("c", "Produce", c)] if name == "last" else [])
    lines = [
        f"    %program_{i} = aie.core(%core_{i}) {{",
        "      %c0 = arith.constant 0 : index",
        "      %c1 = arith.constant 1 : index",
        "      %forever = arith.constant 9223372036854775807 : index",
        "      scf.for %i = %c0 to %forever step %c1 {",
    ]
    for k, (fifo, port, kind) in enumerate(fifos):
        view = f"!aie.objectfifosubview<{kind}>"
        lines += [
            f"        %view_{k} = aie.objectfifo.acquire @{fifo}({port}, 1) : {view}",
            f"        %{k} = aie.objectfifo.subview.access %view_{k}[0] : {view} -> {kind}",
        ]
    passed, kinds = ", ".join(f"%{k}" for k in range(len(fifos))), ", ".join(kind for _, _, kind in fifos)
    lines.append(f"        func.call @gemm_{name}({passed}) : ({kinds}) -> ()")
    lines += [f"        aie.objectfifo.release @{fifo}({port}, 1)" for fifo, port, _ in fifos]
    return [*lines, "      }", "      aie.end", "    }"]


def sequence():
    """The runtime sequence: the quarters of A and B one after the other, in blocks."""
    a, b, c = (
        f"memref<{ROWS}x{CORES * DEPTH}xi16>",
        f"memref<{CORES * DEPTH}x{COLUMNS}xi16>",
        f"memref<{ROWS}x{COLUMNS}xi32>",
    )
    wide = CORES * DEPTH
    lines = [f"    aie.runtime_sequence @sequence(%a : {a}, %b : {b}, %c : {c}) {{"]

    def transfer(number, fifo, matrix, kind, start, sizes, strides):
        lines.append(
            f"      aiex.npu.dma_memcpy_nd(%{matrix}[0, 0, 0, {start}][{sizes}][{strides}]) "
            f"{{id = {number} : i64, metadata = @{fifo}}} : {kind}"
        )

    transfer(0, "c", "c", c, 0, f"{ROWS // R}, {COLUMNS // T}, {R}, {T}", f"{R * COLUMNS}, {T}, {COLUMNS}, 1")
    for i in range(CORES):
        blocks = f"{ROWS // R}, {DEPTH // S}, {R}, {S}"
        transfer(1 + 2 * i, f"in_{i // 2}", "a", a, i * DEPTH, blocks, f"{R * wide}, {S}, {wide}, 1")
        blocks = f"{DEPTH // S}, {COLUMNS // T}, {S}, {T}"
        transfer(
            2 + 2 * i,
            f"in_{i // 2}",
            "b",
            b,
            i * DEPTH * COLUMNS,
            blocks,
            f"{S * COLUMNS}, {T}, {COLUMNS}, 1",
        )
    return [*lines, "      aiex.npu.dma_wait {symbol = @c}", "    }"]


print(text())
