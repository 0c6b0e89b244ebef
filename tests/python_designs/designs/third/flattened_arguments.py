"""Kernels of one dimension called with elements of two."""

# generations: 2026-08
import aie.iron as iron
import numpy as np
from aie.iron import (
    CompileTime,
    ExternalFunction,
    In,
    Kernel,
    ObjectFifo,
    Out,
    Program,
    Runtime,
    Worker,
    str_to_dtype,
)
from aie.iron.device import from_name

SRC = """
extern "C" void scale2(bfloat16 *a, bfloat16 *b, int n, float s) { for (int i = 0; i < n; i++) b[i] = a[i]; }
"""


@iron.jit
def d(a: In, b: Out, *, dtype_str: CompileTime[str] = "bf16"):
    dt = str_to_dtype(dtype_str)
    T2 = np.ndarray[(4, 32), np.dtype[dt]]
    T1 = np.ndarray[(128,), np.dtype[dt]]
    V = np.ndarray[(1024,), np.dtype[dt]]
    fn = ExternalFunction(
        "scale2", source_string=SRC, arg_types=[T1, T1, np.int32, np.float32], compile_flags=["-DX=1"]
    )
    k2 = Kernel("other_fn", "other.o", [T2, np.ndarray[(16,), np.dtype[np.uint8]]])
    fi = ObjectFifo(T2, name="fi")
    fo = ObjectFifo(T2, name="fo")
    from aie.iron import Buffer

    lut = Buffer(initial_value=np.arange(16, dtype=np.uint8), name="lut")

    def body(i, o, f, g, table):
        x = i.acquire(1)
        y = o.acquire(1)
        f(x, y, 128, 0.5)
        g(y, table)
        i.release(1)
        o.release(1)

    worker = Worker(
        body, fn_args=[fi.cons(), fo.prod(), fn, k2, lut], stack_size=4096, allocation_scheme="bank-aware"
    )

    def seq(A, B, h, q):
        h.fill(A)
        q.drain(B, wait=True)

    sequence = Runtime(seq, [V, V, fi.prod(), fo.cons()])
    return Program(iron.get_current_device(), sequence, workers=[worker]).resolve_program()


iron.set_current_device(from_name("npu2"))
print(d.as_mlir())
