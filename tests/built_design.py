"""A built design without a build, fixture `built`: files of any content, and a manifest with their hashes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from npuninja.formats.xclbin import XclbinKernel, write_xclbin

PDI = bytes(range(64))
REFERENCE = """
import numpy as np

def inputs(rng, arguments):
    return [rng.integers(0, 100, a.shape, a.dtype) for a in arguments if a.is_input]

def reference(inputs):
    return [inputs[0] * 2]
"""


class Built:
    """A folder with XCLBIN, insts.bin, manifest and reference of a design that doubles 64 words."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.xclbin = folder / "twice.xclbin"
        self.insts = folder / "insts.bin"
        self.path = folder / "twice.json"
        self.reference = folder / "twice.py"
        self.insts.write_bytes(bytes(24))
        self.reference.write_text(REFERENCE)
        self.xclbin.write_bytes(b"xclbin2")
        self.fields: dict[str, Any] = {
            "format": 1,
            "design": "twice",
            "device": "npu1_1col",
            "core_kind": "wasm",
            "kernel": {"name": "MLIR_AIE", "id": "0x901"},
            "arguments": [self.argument("a", "in"), self.argument("b", "out")],
            "build_id": "b1",
            "providers": {},
            "reference": "twice.py",
        }
        self.write()

    @staticmethod
    def argument(
        name: str, direction: str, shape: tuple[int, ...] = (64,), dtype: str = "i32", size: int = 4
    ) -> dict[str, Any]:
        count = 1
        for extent in shape:
            count *= extent
        return {
            "name": name,
            "direction": direction,
            "shape": list(shape),
            "dtype": dtype,
            "bytes": count * size,
        }

    def write(self, **fields: Any) -> str:
        """Writes the manifest with the hashes of the files as they are; returns its path."""
        self.fields.update(fields)
        files = {
            key: {"path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            for key, path in (("xclbin", self.xclbin), ("insts", self.insts))
        }
        self.path.write_text(json.dumps({**self.fields, "files": files}))
        return str(self.path)

    def real_xclbin(self) -> str:
        """Makes the XCLBIN one that readers accept; returns the manifest's path."""
        self.xclbin.write_bytes(write_xclbin([XclbinKernel(PDI)], start_columns=[0], column_width=1))
        return self.write()


@pytest.fixture
def built(tmp_path: Path) -> Built:
    return Built(tmp_path)
