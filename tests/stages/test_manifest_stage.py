"""What the manifest stage refuses."""

import json

import pytest

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
