"""What a call of an `@iron.jit` design says about wrong arguments."""

from types import SimpleNamespace

import numpy as np
import pytest

from npuninja.device.manifest import Argument
from npuninja.python_designs.host import launching
from npuninja.python_designs.host.jit import CompileTime, In, Out, jit_third

ARGUMENT = Argument("a", "in", (64,), "i32")


@pytest.mark.parametrize(
    ("array", "error"),
    [
        (
            np.zeros(10, np.int32),
            "tensor 'a' has 10 elements, and the design was built for 64",
        ),
        (
            np.zeros(64, np.int16),
            r"'a' is of int16 \(128 bytes\), and the design was built for i32 \(256 bytes\)",
        ),
    ],
)
def test_a_tensor_of_another_size_is_an_error(array, error):
    with pytest.raises(RuntimeError, match=error):
        launching._check_tensor("a", array, ARGUMENT, {})


def test_more_tensors_than_arguments_are_an_error():
    manifest = SimpleNamespace(arguments=(ARGUMENT,))
    with pytest.raises(RuntimeError, match=r"has 1 argument\(s\), but 2 tensor\(s\) were given$"):
        launching._must_be_all(manifest, [np.zeros(64, np.int32)] * 2, ["a", "b"], None)


def test_fractions_for_integers_are_a_warning_and_bits_are_not(capsys, monkeypatch):
    monkeypatch.setattr(launching, "_PRINTED", set())
    for dtype in (np.int32, np.uint32, np.float32, np.float32):
        launching._check_tensor("a", np.zeros(64, dtype), ARGUMENT, {})
    printed = capsys.readouterr().err.splitlines()
    assert printed == ["warning: tensor 'a' is of float32, and the kernel takes its bytes for i32"]


def test_a_keyword_that_is_no_parameter_is_an_error():
    @jit_third
    def increment(a: In, b: Out, *, n: CompileTime[int] = 64):
        raise AssertionError("the design is not built")

    with pytest.raises(TypeError, match=r"'increment' was given \['m'\], which it has no parameters for"):
        increment(1, 2, m=3)


def test_names_of_june_2026_and_layouts_of_memrefs():
    from npuninja.python_designs.construct.type_names import NAMES
    from npuninja.python_designs.construct.types import MemRefType, ShapedType, StridedLayoutAttr
    from npuninja.python_designs.offered import MODULES

    (names,) = [source.names for source in MODULES["aie.utils.compile.jit.markers"]]
    assert names["Compile"] == "CompileTime"
    unknown = ShapedType.get_dynamic_stride_or_offset()
    layout = StridedLayoutAttr.get(unknown, [16, 1])
    assert (
        str(MemRefType.get((4, 16), NAMES["i32"](), layout))
        == "memref<4x16xi32, strided<[16, 1], offset: ?>>"
    )
    assert str(StridedLayoutAttr.get(0, [unknown])) == "strided<[?]>"
