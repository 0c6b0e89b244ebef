"""What the manifest stage refuses."""

import json

import pytest

from npuninja.device.manifest import read_manifest
from npuninja.errors import UserError
from npuninja.stages import manifest


@pytest.mark.parametrize(("count", "good"), [(5, True), (16, True), (17, False)])
def test_more_arguments_than_the_kernel_of_an_xclbin_has(tmp_path, count, good):
    argument = {"name": "a", "direction": "in", "shape": [4], "dtype": "i32", "bytes": 16}
    for name in ("design.mlir", "design.xclbin", "insts.bin"):
        (tmp_path / name).write_bytes(b"content")
    (tmp_path / "arguments.json").write_text(json.dumps([argument] * count))
    target = tmp_path / "design.json"
    words = [
        str(tmp_path / "design.mlir"),
        "-o",
        str(target),
        "--design",
        "d",
        "--device",
        "npu1",
        "--kind",
        "wasm",
    ]
    words += ["--arguments", str(tmp_path / "arguments.json")]
    words += ["--xclbin", str(tmp_path / "design.xclbin"), "--insts", str(tmp_path / "insts.bin")]
    if good:
        manifest.run(words)
        assert len(json.loads(target.read_text())["arguments"]) == count
        return
    with pytest.raises(UserError, match="has 17 arguments, a kernel takes at most 16 buffers"):
        manifest.run(words)
    assert not target.exists()


def test_modules_beside_a_reference_come_with_it(tmp_path):
    host, build = tmp_path / "host", tmp_path / "build"
    host.mkdir()
    build.mkdir()
    (host / "gain.py").write_text("import numpy as np\nfrom shared import x\n", encoding="utf-8")
    (host / "shared.py").write_text("def x():\n    import deeper\n", encoding="utf-8")
    (host / "deeper.py").write_text("", encoding="utf-8")
    (host / "other.py").write_text("", encoding="utf-8")
    for name in ("design.mlir", "gain.xclbin", "insts.bin"):
        (build / name).write_bytes(b"content")
    (build / "arguments.json").write_text("[]")
    words = [str(build / "design.mlir"), "-o", str(build / "gain.json"), "--design", "gain"]
    words += ["--device", "npu1", "--kind", "wasm", "--arguments", str(build / "arguments.json")]
    words += ["--xclbin", str(build / "gain.xclbin"), "--insts", str(build / "insts.bin")]
    words += ["--reference", str(host / "gain.py"), "--reference-copy", str(build / "reference.py")]
    assert manifest.run(words) == [str(host / "deeper.py"), str(host / "shared.py")]
    read = read_manifest(str(build / "gain.json"))
    assert read.reference_modules == (str(build / "deeper.py"), str(build / "shared.py"))
    assert (build / "shared.py").read_bytes() == (host / "shared.py").read_bytes()
    assert not (build / "other.py").exists()

    (host / "gain.py").write_text("import reference\n", encoding="utf-8")
    (host / "reference.py").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match=r"cannot be called reference\.py"):
        manifest.run(words)
