"""Packing by the real bootgen and xclbinutil: equal to the embedded writers, the same twice, errors told.

The inputs are the conformance designs, whose cores are AIE programs; tests/configure/test_real_build.py does
the same with the shipped designs.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import CONFORMANCE, positive_designs

from npuninja.arch.devices import device
from npuninja.errors import Error, ToolError
from npuninja.formats.xclbin import MEM_TOPOLOGY, read_xclbin
from npuninja.stages import pdi, xclbin, xclbin_json

DESIGNS = [d for d in positive_designs() if (d / "main.pdi").exists()]
GAIN = CONFORMANCE / "gain_bytes"


def device_of(design: Path) -> str:
    return str(json.loads((design / "meta.json").read_text())["device"])


def cdos(design: Path) -> list[str]:
    return [str(design / f"cdo_{part}.bin") for part in ("elfs", "init", "enable")]


def images(design: Path) -> list[str]:
    found = []
    for path in sorted(design.glob("core_*_*.elf")):
        column, row = path.stem.split("_")[1:]
        found += ["--image", f"{column},{row}={path}"]
    return found


def pack(
    folder: Path,
    image: Path,
    device_name: str,
    xclbinutil: str | None,
    modules: tuple[str, ...] = (),
    more: tuple[str, ...] = (),
) -> bytes:
    """The XCLBIN of a PDI, embedded or by the tool."""
    options = ["--device", device_name, *more]
    words = [str(image), *options, *modules, "-o", str(folder / "out.xclbin")]
    if xclbinutil:
        partition, kernels = str(folder / "main_aie_partition.json"), str(folder / "main_kernels.json")
        memories = str(folder / "main_mem_topology.json")
        xclbin_json.run([str(image), *options, "-o", partition, "--kernels", kernels, "--memories", memories])
        words += [
            "--xclbinutil",
            xclbinutil,
            "--partition",
            partition,
            "--kernels",
            kernels,
            "--memories",
            memories,
        ]
    xclbin.run(words)
    return (folder / "out.xclbin").read_bytes()


def without_pcr(image: bytes) -> bytes:
    """Without the image header's PCR fields and its checksum: 0 by bootgen 2022.2, 0xFFFF from 2023 on."""
    return image[:0xC8] + bytes(8) + image[0xD0:]


@pytest.mark.parametrize("design", DESIGNS, ids=lambda d: d.name)
def test_bootgen_gives_the_embedded_pdi(design, tmp_path, bootgen):
    target = tmp_path / "out.pdi"
    checked = ["--device", device_of(design), *images(design)]
    pdi.run([*cdos(design), "-o", str(target), *checked])
    embedded = target.read_bytes()
    pdi.run([*cdos(design), "-o", str(target), *checked, "--bootgen", bootgen])
    real = target.read_bytes()
    assert without_pcr(real) == without_pcr(embedded)
    assert real == embedded or real[0xC8:0xCC] == b"\xff" * 4


@pytest.mark.parametrize("design", DESIGNS[::4], ids=lambda d: d.name)
def test_xclbinutil_gives_the_embedded_sections(design, tmp_path, xclbinutil):
    device_name = device_of(design)
    if not device(device_name).start_columns:
        pytest.fail("every device has start columns")
    embedded = read_xclbin(pack(tmp_path, design / "main.pdi", device_name, None))
    real = read_xclbin(pack(tmp_path, design / "main.pdi", device_name, xclbinutil))
    assert [(s.kind, s.name, s.data) for s in real.sections] == [
        (s.kind, s.name, s.data) for s in embedded.sections
    ]


def test_xclbinutil_describes_more_buffers_as_we_do(tmp_path, xclbinutil):
    packed = [
        read_xclbin(pack(tmp_path, GAIN / "main.pdi", "npu1_1col", tool, more=("--buffers", "9")))
        for tool in (None, xclbinutil)
    ]
    embedded, real = [[(s.kind, s.name, s.data) for s in container.sections] for container in packed]
    assert real == embedded


def test_all_of_an_xclbin_is_equal_when_the_version_is(tmp_path, xclbinutil):
    embedded = pack(tmp_path, GAIN / "main.pdi", "npu1_1col", None)
    real = pack(tmp_path, GAIN / "main.pdi", "npu1_1col", xclbinutil)
    if read_xclbin(real).version == read_xclbin(embedded).version:
        assert real == embedded
    else:
        assert len(real) == len(embedded)


def test_xclbinutil_twice_gives_the_same_bytes_and_other_content_another_uuid(tmp_path, xclbinutil):
    folders = [tmp_path / name for name in ("one", "two")]
    results = []
    for folder in folders:
        folder.mkdir()
        shutil.copy(GAIN / "main.pdi", folder / "a.pdi")
        results.append(pack(folder, folder / "a.pdi", "npu1_1col", xclbinutil))
    assert results[0] == results[1]
    other = pack(tmp_path, CONFORMANCE / "fan_out_two" / "main.pdi", "npu1_1col", xclbinutil)
    assert read_xclbin(other).uuid != read_xclbin(results[0]).uuid
    assert any(read_xclbin(other).uuid)


def test_a_failed_xclbinutil_leaves_nothing(tmp_path, xclbinutil):
    (tmp_path / "out.xclbin").write_bytes(b"of an earlier build")
    options = ["--device", "npu1_1col", "-o", str(tmp_path / "out.xclbin"), "--xclbinutil", xclbinutil]
    options += ["--partition", str(tmp_path / "p.json"), "--kernels", str(tmp_path / "k.json")]
    with pytest.raises(ToolError, match="exit code") as caught:
        xclbin.run([str(GAIN / "main.pdi"), *options, "--memories", str(tmp_path / "no-memories.json")])
    assert "no-memories.json" in caught.value.render()
    assert list(tmp_path.iterdir()) == []


def test_bootgen_refusing_a_cdo_leaves_nothing(tmp_path, bootgen):
    (tmp_path / "a.bin").write_bytes(b"not a CDO file at all")
    with pytest.raises(Error):
        pdi.run([str(tmp_path / "a.bin"), "-o", str(tmp_path / "out.pdi"), "--bootgen", bootgen])
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_memories_are_those_of_every_npu(tmp_path, xclbinutil):
    section = read_xclbin(pack(tmp_path, GAIN / "main.pdi", "npu1_1col", xclbinutil)).section(MEM_TOPOLOGY)
    assert section is not None
    assert b"HOST" in section.data
    assert b"SRAM" in section.data
