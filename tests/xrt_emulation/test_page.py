"""The program in docs/xrt-on-the-emulator.md does what the page says."""

import re
import shutil
from pathlib import Path

from conftest import ROOT
from design_chain import Chain

PAGE = (ROOT / "docs" / "xrt-on-the-emulator.md").read_text(encoding="utf-8")


def test_program_of_the_page(wasm_build, emulated, tmp_path):
    folder = Path(Chain(wasm_build, "self_test").run()).parent
    shutil.copy(folder / "design.xclbin", folder / "self_test.xclbin")
    (program,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    path = tmp_path / "my_program.py"
    path.write_text(program)
    done = emulated.run("python", str(path), str(folder))
    assert (done.returncode, done.stdout) == (0, "right\n"), done.stderr


def test_xrt_smi_sees_the_npu(emulated):
    done = emulated.run("xrt-smi", "examine")
    assert re.search(r"0000:c5:00\.1\]\s*\|RyzenAI-npu1\s*\|aie2\s*\|6x5", done.stdout), (
        done.stdout + done.stderr
    )


def test_strix_is_shown_too(emulated):
    assert emulated.good("cases.py", "information", "-", options=["--device", "npu2"]).startswith(
        "1 RyzenAI-npu4\n"
    )


def test_options_that_are_wrong(emulated):
    for options, words in ((["--device", "npu9"], "no NPU 'npu9'"), (["--time-limit", "0"], "not above 0")):
        done = emulated.run("true", options=options)
        assert done.returncode == 2
        assert words in done.stderr
    assert "no command given" in emulated.run().stderr
