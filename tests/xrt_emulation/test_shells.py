"""Shells under `npuninja emu`, which start programs of their own; and the NPU's generation."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from npuninja.errors import UserError
from npuninja.xrt_emulation.array_context import check_generation

SCRIPT = (
    "/bin/echo one; (/bin/echo two); /bin/sh -c '/bin/echo three; /bin/echo four' | cat; exec /bin/echo five"
)


@pytest.mark.parametrize("shell", ["bash", "sh", "dash"])
def test_what_a_shell_starts_lives(shell):
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    command = [sys.executable, "-m", "npuninja", "emu", "--", shell, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["one", "two", "three", "four", "five"]
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("architecture", "npu", "good"),
    [
        ("aie2", "npu1", True),
        ("aie2p", "npu2", True),
        ("aie2p", "npu1", False),
        ("aie2", "npu2", False),
        ("", "npu1", True),
    ],
)
def test_an_xclbin_of_the_other_generation_is_refused(architecture, npu, good):
    if good:
        check_generation(architecture, npu)
        return
    other = "npu2" if npu == "npu1" else "npu1"
    with pytest.raises(UserError, match=f"is for {other} .*the NPU shown is {npu}") as caught:
        check_generation(architecture, npu)
    assert f"--device {other}" in (caught.value.hint or "")
