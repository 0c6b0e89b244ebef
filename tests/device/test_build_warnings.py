"""What a design was warned of is shown again with the standstill that it causes."""

from __future__ import annotations

from pathlib import Path

import pytest

from npuninja.device.manifest import Manifest
from npuninja.device.source_paths import with_warnings
from npuninja.emulator.errors import Deadlock
from npuninja.source_places import SUFFIX, places_text, warnings_of
from npuninja.stages import lower

DESIGN = """\
module {
  aie.device(npu1_1col) {
    %shim = aie.tile(0, 0)
    %worker = aie.tile(0, 2)
    aie.objectfifo @in(%shim, {%worker}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
    %core = aie.core(%worker) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c8 = arith.constant 8 : index
      scf.for %i = %c0 to %c8 step %c1 {
        %v = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<16xi32>>
      }
      aie.end
    }
    aiex.runtime_sequence @sequence(%a : memref<16xi32>) {
      aiex.npu.dma_memcpy_nd(%a[0, 0, 0, 0][1, 1, 1, 16][0, 0, 0, 1]) {id = 0 : i64, metadata = @in} : memref<16xi32>
    }
  }
}
"""


def test_the_warning_of_the_build_is_in_the_deadlock(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlir").mkdir()
    (tmp_path / "mlir/d.mlir").write_text(DESIGN, encoding="utf-8")
    lowered = "build/d/input_with_addresses.mlir"
    lower.run(["mlir/d.mlir", "-o", lowered])
    warned = capsys.readouterr().err
    assert (
        "mlir/d.mlir:10:7: warning: each trip of this loop takes 1 more object of objectFifo '@in' than "
        "it releases" in warned
    )
    error = Deadlock("deadlock", hint="the others follow")
    fields = dict.fromkeys(Manifest._fields)
    with_warnings(error, Manifest(**{**fields, "path": str(tmp_path / "build/d/d.json")}))  # type: ignore[arg-type]
    shown = error.render()
    assert "mlir/d.mlir:10:7: note: the build warned: each trip of this loop takes 1 more object" in shown
    assert "hint: begin with what the build warned of; the others follow" in shown


def test_warnings_of_another_build_and_damage_are_nothing(tmp_path: Path) -> None:
    made = tmp_path / "a.mlir"
    made.write_bytes(b"x")
    kept = Path(str(made) + SUFFIX)
    kept.write_text(places_text(b"x", [], str(tmp_path), [("said", None)]), encoding="utf-8")
    assert warnings_of(str(made)) == [("said", None)]
    for damage in ("", "[]", "{}", '{"of": 1}', places_text(b"y", [], "", [("said", None)])):
        kept.write_text(damage, encoding="utf-8")
        assert warnings_of(str(made)) == []
