"""The matrix products on a square of cores, as MLIR: what the designs gemm_*.py have in common.

C (32·G by 32·G) = A (32·G by 64) · B (64 by 32·G) on G by G cores. A's rows go to the cores of a row, B's columns to those of
a column; the memory tile of a column joins what its cores make. The shims' DMAs cut the matrices into the blocks that the
kernel (kernels/gemm) multiplies.
"""

ROWS, DEPTH, COLUMNS = 32, 64, 32  # of a core's tile
BLOCKS = {"int8": (8, 8, 8), "int16": (4, 4, 8), "bf16": (8, 8, 8)}
TYPES = {"int8": ("i8", "i32"), "int16": ("i16", "i32"), "bf16": ("bf16", "f32")}


def module(name, device, element, size):
    """The text of a design.

    Args:
        name: of the design.
        device: with at least `size` columns.
        element: `int8`, `int16` or `bf16`.
        size: G, the cores of a side: 1, 2 or 4.
    """
    r, s, t = BLOCKS[element]
    kind, out = TYPES[element]
    a, b = f"memref<{ROWS * DEPTH}x{kind}>", f"memref<{DEPTH * COLUMNS}x{kind}>"
    c, joined = f"memref<{ROWS * COLUMNS}x{out}>", f"memref<{size * ROWS * COLUMNS}x{out}>"
    m, n = size * ROWS, size * COLUMNS
    sides = range(size)
    lines = [f"module @{name} {{", f"  aie.device({device}) {{"]
    lines.append(f'    func.func private @gemm_{element}({a}, {b}, {c}) attributes {{link_with = "gemm.o"}}')
    for x in sides:
        lines.append(f"    %shim_{x} = aie.tile({x}, 0)")
        lines.append(f"    %memory_{x} = aie.tile({x}, 1)")
        lines += [f"    %core_{x}_{y} = aie.tile({x}, {y + 2})" for y in sides]
    for x in sides:
        row = ", ".join(f"%core_{i}_{x}" for i in sides)
        column = ", ".join(f"%core_{x}_{i}" for i in sides)
        lines.append(f"    aie.objectfifo @a_{x}(%shim_{x}, {{{row}}}, 2 : i32) : !aie.objectfifo<{a}>")
        lines.append(f"    aie.objectfifo @b_{x}(%shim_{x}, {{{column}}}, 2 : i32) : !aie.objectfifo<{b}>")
        lines += [
            f"    aie.objectfifo @c_{x}_{y}(%core_{x}_{y}, {{%memory_{x}}}, 1 : i32) : !aie.objectfifo<{c}>"
            for y in sides
        ]
        lines.append(
            f"    aie.objectfifo @c_{x}(%memory_{x}, {{%shim_{x}}}, 1 : i32) : !aie.objectfifo<{joined}>"
        )
        parts, offsets = (
            ", ".join(f"@c_{x}_{y}" for y in sides),
            ", ".join(str(y * ROWS * COLUMNS) for y in sides),
        )
        lines.append(f"    aie.objectfifo.link [{parts}] -> [@c_{x}] ([{offsets if size > 1 else ''}] [])")
    for x in sides:
        for y in sides:
            lines += _core(element, x, y, a, b, c)
    lines.append(
        f"    aie.runtime_sequence @sequence(%a : memref<{m}x{DEPTH}x{kind}>, %b : memref<{DEPTH}x{n}x{kind}>, "
        f"%c : memref<{m}x{n}x{out}>) {{"
    )

    def transfer(number, fifo, matrix, type_, start, sizes, strides):
        lines.append(
            f"      aiex.npu.dma_memcpy_nd(%{matrix}[0, 0, 0, {start}][{sizes}][{strides}]) "
            f"{{id = {number} : i64, metadata = @{fifo}}} : {type_}"
        )

    for x in sides:
        blocks = f"{ROWS // r}, {DEPTH // s}, {r}, {s}"
        transfer(
            0,
            f"a_{x}",
            "a",
            f"memref<{m}x{DEPTH}x{kind}>",
            x * ROWS * DEPTH,
            blocks,
            f"{r * DEPTH}, {s}, {DEPTH}, 1",
        )
        blocks = f"{DEPTH // s}, {COLUMNS // t}, {s}, {t}"
        transfer(
            1, f"b_{x}", "b", f"memref<{DEPTH}x{n}x{kind}>", x * COLUMNS, blocks, f"{s * n}, {t}, {n}, 1"
        )
        blocks = f"{m // r}, {COLUMNS // t}, {r}, {t}"
        transfer(2, f"c_{x}", "c", f"memref<{m}x{n}x{out}>", x * COLUMNS, blocks, f"{r * n}, {t}, {n}, 1")
    lines += [f"      aiex.npu.dma_wait {{symbol = @c_{x}}}" for x in sides]
    return "\n".join([*lines, "    }", "  }", "}"])


def _core(element, x, y, a, b, c):
    """The program of one core: a tile for each round."""

    def element_of(fifo, port, type_, name):
        view = f"!aie.objectfifosubview<{type_}>"
        return [
            f"        %{name}_view = aie.objectfifo.acquire @{fifo}({port}, 1) : {view}",
            f"        %{name} = aie.objectfifo.subview.access %{name}_view[0] : {view} -> {type_}",
        ]

    return [
        f"    %program_{x}_{y} = aie.core(%core_{x}_{y}) {{",
        "      %c0 = arith.constant 0 : index",
        "      %c1 = arith.constant 1 : index",
        "      %forever = arith.constant 9223372036854775807 : index",
        "      scf.for %i = %c0 to %forever step %c1 {",
        *element_of(f"c_{x}_{y}", "Produce", c, "out"),
        *element_of(f"a_{y}", "Consume", a, "left"),
        *element_of(f"b_{x}", "Consume", b, "right"),
        f"        func.call @gemm_{element}(%left, %right, %out) : ({a}, {b}, {c}) -> ()",
        f"        aie.objectfifo.release @a_{y}(Consume, 1)",
        f"        aie.objectfifo.release @b_{x}(Consume, 1)",
        f"        aie.objectfifo.release @c_{x}_{y}(Produce, 1)",
        "      }",
        "      aie.end",
        "    }",
    ]
