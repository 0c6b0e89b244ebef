import numpy as np
import pytest

from npuninja.device.arrays import read_inputs, write_outputs
from npuninja.device.manifest import read_manifest
from npuninja.errors import UserError


@pytest.fixture
def two_in(built):
    arguments = [
        built.argument("a", "in"),
        built.argument("b", "in", (4,), "i8", 1),
        built.argument("c", "out", (2,)),
    ]
    return read_manifest(built.write(arguments=arguments))


@pytest.fixture
def files(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(64, dtype=np.int32))
    np.save(tmp_path / "short.npy", np.arange(63, dtype=np.int32))
    np.save(tmp_path / "wide.npy", np.arange(64))
    np.save(tmp_path / "object.npy", np.array([{}], object))
    (tmp_path / "b.bin").write_bytes(b"\1\2\3\4")
    (tmp_path / "b5.bin").write_bytes(b"\1\2\3\4\5")
    (tmp_path / "not.npy").write_bytes(b"\1\2\3\4")
    return tmp_path


@pytest.mark.parametrize("options", [["a.npy", "b.bin"], ["b=b.bin", "a.npy"], ["b=b.bin", "a=a.npy"]])
def test_inputs(two_in, files, monkeypatch, options):
    monkeypatch.chdir(files)
    a, b = read_inputs(options, two_in)
    assert a.tolist() == list(range(64))
    assert b.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["a.npy"], "no file for the input b "),
        (["a.npy", "b.bin", "a.npy"], "3 input files for 2 inputs"),
        (["x=a.npy", "b.bin"], "there is no input 'x'"),
        (["a=a.npy", "a=a.npy"], "two files for the input a"),
        (["gone.npy", "b.bin"], "cannot read gone.npy"),
        (["short.npy", "b.bin"], r"int32 of shape \(63,\), 252 bytes, for a; expected 64 x i32, 256 bytes"),
        (["wide.npy", "b.bin"], r"int64 of shape \(64,\)"),
        (["object.npy", "b.bin"], "not a NumPy file"),
        (["not.npy", "b.bin"], "not a NumPy file"),
        (["a.npy", "b5.bin"], "5 bytes for b, expected 4 x i8, 4 bytes"),
    ],
)
def test_wrong_inputs(two_in, files, monkeypatch, options, message):
    monkeypatch.chdir(files)
    with pytest.raises(UserError, match=message):
        read_inputs(options, two_in)


def test_outputs(two_in, tmp_path):
    result = np.array([5, -1], np.int32)
    write_outputs([str(tmp_path / "c.npy")], two_in, [result])
    write_outputs([f"c={tmp_path / 'c.bin'}"], two_in, [result])
    assert np.load(tmp_path / "c.npy").tolist() == [5, -1]
    assert (tmp_path / "c.bin").read_bytes() == b"\5\0\0\0\xff\xff\xff\xff"
    with pytest.raises(UserError, match="cannot write"):
        write_outputs([str(tmp_path / "gone" / "c.npy")], two_in, [result])
