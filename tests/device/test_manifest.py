import json
from pathlib import Path

import numpy as np
import pytest

from npuninja.device.manifest import Argument, read_manifest
from npuninja.errors import UserError


def test_fields(built):
    manifest = read_manifest(
        built.write(arguments=[built.argument("a", "in", (4, 16)), built.argument("c", "inout")])
    )
    assert (manifest.design, manifest.device, manifest.core_kind) == ("twice", "npu1_1col", "wasm")
    assert manifest.kernel == "MLIR_AIE"
    assert [a.name for a in manifest.inputs] == ["a", "c"]
    assert [a.name for a in manifest.outputs] == ["c"]
    assert manifest.arguments[0].describe() == "4 x 16 x i32, 256 bytes"
    assert manifest.read(manifest.insts) == bytes(24)
    assert manifest.reference == str(built.reference)


@pytest.mark.parametrize(
    ("element", "dtype"), [("i8", np.int8), ("ui16", np.uint16), ("bf16", np.uint16), ("f32", np.float32)]
)
def test_dtypes(element, dtype):
    assert Argument("a", "in", (1,), element).dtype == dtype


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"format": 2}, "manifest format 2, this runner reads 1"),
        ({"format": "1"}, 'format should be a number, got "1"'),
        ({"design": None}, "design should be a string, got null"),
        (
            {"design": "x\x1b[31m"},
            r'design should be a string without control characters, got "x\\u001b\[31m"',
        ),
        ({"device": "npu1\n"}, "device should be a string without control characters"),
        ({"kernel": {}}, "kernel.name should be a string, got null"),
        ({"arguments": {}}, "arguments should be a list"),
        ({"arguments": [3]}, r"arguments\[0\]. should be an object, got 3"),
    ],
)
def test_wrong_fields(built, fields, message):
    with pytest.raises(UserError, match=message) as caught:
        read_manifest(built.write(**fields))
    assert caught.value.location.file == str(built.path)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("direction", "up", 'direction should be one of in, out, inout, trace, none, got "up"'),
        ("dtype", "i4", "dtype should be one of i8, "),
        ("shape", [4, -1], "shape should be a list of sizes"),
        ("bytes", 255, "bytes should be 256 "),
    ],
)
def test_wrong_argument(built, key, value, message):
    with pytest.raises(UserError, match=message):
        read_manifest(built.write(arguments=[{**built.argument("a", "in"), key: value}]))


def test_files_of_another_build(built):
    manifest = read_manifest(built.write())
    built.insts.write_bytes(bytes(28))
    with pytest.raises(UserError, match="not of this build") as caught:
        manifest.read(manifest.insts)
    assert caught.value.location.file == str(built.insts)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read .*twice.xclbin"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
    ],
)
def test_missing_file(built, content, message):
    manifest = read_manifest(built.write())
    built.xclbin.unlink()
    if content is not None:
        built.xclbin.write_bytes(content)
    with pytest.raises(UserError, match=message):
        manifest.read(manifest.xclbin)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot read"),
        (b"{", "not a manifest"),
        (b"\x7fELF\xa0", "not a manifest: it is no text"),
        (b"[]", "should be an object"),
    ],
)
def test_no_manifest(built, text, message):
    built.path.unlink()
    if text is not None:
        built.path.write_bytes(text)
    with pytest.raises(UserError, match=message):
        read_manifest(str(built.path))


def test_paths_are_relative_to_the_manifest(built, monkeypatch, tmp_path_factory):
    fields = json.loads(built.path.read_text())
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert read_manifest(str(built.path)).xclbin == str(built.xclbin)
    assert fields["files"]["xclbin"]["path"] == "twice.xclbin"


def test_the_instructions_are_of_the_manifests_generation(built):
    from npuninja.device.program import program_of

    built.insts.write_bytes(bytes([0, 1, 4, 6]) + bytes(20))
    with pytest.raises(UserError, match="for npu1_1col, and its instructions are for npu2"):
        program_of(read_manifest(built.write()))
    built.insts.write_bytes(bytes([0, 1, 3, 6]) + bytes(20))
    assert program_of(read_manifest(built.write())).insts[2] == 3
    with pytest.raises(UserError, match="no device 'npu9'"):
        program_of(read_manifest(built.write(device="npu9")))


@pytest.mark.parametrize("path", ["/dev/zero", "../x", "a/../../x", "", ".", "a\0b", "/etc/passwd"])
@pytest.mark.parametrize("key", ["xclbin", "insts", "reference"])
def test_a_manifest_names_files_of_its_own_folder_only(built, key, path):
    fields = {**built.fields, **json.loads(Path(built.write()).read_text(encoding="utf-8"))}
    if key == "reference":
        fields["reference"] = path
    else:
        fields["files"][key]["path"] = path
    built.path.write_text(json.dumps(fields))
    with pytest.raises(UserError, match=r"no file of the manifest's folder|without control characters"):
        read_manifest(str(built.path))
