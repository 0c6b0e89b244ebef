"""The matrix products on a square of cores, as MLIR: what the designs gemm_*.py have in common.

C (32·G by 32·G) = A (32·G by 64) · B (64 by 32·G) on G by G cores. A's rows go to the cores of a row, B's
columns to those of a column; a column's memory tile joins what its cores make. The shims' DMAs cut the
matrices into the blocks that the kernel (kernels/gemm) multiplies.
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
    kind, out = TYPES[element]
    a, b = f"memref<{ROWS * DEPTH}x{kind}>", f"memref<{DEPTH * COLUMNS}x{kind}>"
    c, joined = f"memref<{ROWS * COLUMNS}x{out}>", f"memref<{size * ROWS * COLUMNS}x{out}>"
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
        lines.append(_fifo(f"a_{x}", f"%shim_{x}", row, 2, a))
        lines.append(_fifo(f"b_{x}", f"%shim_{x}", column, 2, b))
        lines += [_fifo(f"c_{x}_{y}", f"%core_{x}_{y}", f"%memory_{x}", 1, c) for y in sides]
        lines.append(_fifo(f"c_{x}", f"%memory_{x}", f"%shim_{x}", 1, joined))
        parts = ", ".join(f"@c_{x}_{y}" for y in sides)
        offsets = ", ".join(str(y * ROWS * COLUMNS) for y in sides) if size > 1 else ""
        lines.append(f"    aie.objectfifo.link [{parts}] -> [@c_{x}] ([{offsets}] [])")
    for x in sides:
        for y in sides:
            lines += _core(element, x, y, a, b, c)
    return "\n".join([*lines, *_sequence(element, size), "  }", "}"])


def _fifo(name, producer, consumers, depth, type_):
    return (
        f"    aie.objectfifo @{name}({producer}, {{{consumers}}}, {depth} : i32) : !aie.objectfifo<{type_}>"
    )


def _sequence(element, size):
    """The runtime sequence: a row of A's tiles, a column of B's and of C's for each side, in blocks."""
    r, s, t = BLOCKS[element]
    kind, out = TYPES[element]
    m, n = size * ROWS, size * COLUMNS
    a, b, c = f"memref<{m}x{DEPTH}x{kind}>", f"memref<{DEPTH}x{n}x{kind}>", f"memref<{m}x{n}x{out}>"
    lines = [f"    aie.runtime_sequence @sequence(%a : {a}, %b : {b}, %c : {c}) {{"]
    for x in range(size):
        lines += [
            _transfer(0, f"a_{x}", "a", a, x * ROWS * DEPTH, (ROWS, r), (DEPTH, s), DEPTH),
            _transfer(1, f"b_{x}", "b", b, x * COLUMNS, (DEPTH, s), (COLUMNS, t), n),
            _transfer(2, f"c_{x}", "c", c, x * COLUMNS, (m, r), (COLUMNS, t), n),
        ]
    return [*lines, *(f"      aiex.npu.dma_wait {{symbol = @c_{x}}}" for x in range(size)), "    }"]


def _transfer(number, fifo, matrix, type_, start, rows, columns, width):
    """Part of a matrix of `width` columns, block by block; `rows` and `columns`: how many, and of a block."""
    (m, r), (n, t) = rows, columns
    sizes, strides = f"{m // r}, {n // t}, {r}, {t}", f"{r * width}, {t}, {width}, 1"
    return (
        f"      aiex.npu.dma_memcpy_nd(%{matrix}[0, 0, 0, {start}][{sizes}][{strides}]) "
        f"{{id = {number} : i64, metadata = @{fifo}}} : {type_}"
    )


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
