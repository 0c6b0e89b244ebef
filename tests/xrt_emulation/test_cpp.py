"""A C++ program with XRT's headers and library; our description of the kernel's interface against its own."""

import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from xrt_programs import compile_cpp

from npuninja.formats.instruction_elf import write_instruction_elf
from npuninja.xrt_emulation import amdxdna
from npuninja.xrt_emulation.preload_library import SOURCES

# The kernel's name of each structure, and ours in preload/amdxdna.h and amdxdna.py ("" where it has none).
STRUCTURES = {
    "amdxdna_drm_create_hwctx": ("create_hwctx", "CREATE_HWCTX_S"),
    "amdxdna_drm_destroy_hwctx": ("", "DESTROY_HWCTX_S"),
    "amdxdna_drm_config_hwctx": ("config_hwctx", "CONFIG_HWCTX_S"),
    "amdxdna_drm_create_bo": ("create_bo", "CREATE_BO_S"),
    "amdxdna_drm_get_bo_info": ("get_bo_info", "GET_BO_INFO_S"),
    "amdxdna_drm_sync_bo": ("", "SYNC_BO_S"),
    "amdxdna_drm_exec_cmd": ("exec_cmd", "EXEC_CMD_S"),
    "amdxdna_drm_wait_cmd": ("wait_cmd", ""),
    "amdxdna_drm_get_info": ("get_info", "GET_INFO_S"),
    "amdxdna_drm_get_array": ("get_array", "GET_ARRAY_S"),
    "amdxdna_cu_config": ("", "CU_CONFIG_S"),
    "drm_prime_handle": ("prime_handle", "PRIME_S"),
    "drm_gem_close": ("", "GEM_CLOSE_S"),
    "drm_syncobj_create": ("", "SYNCOBJ_CREATE_S"),
    "drm_syncobj_handle": ("syncobj_handle", "SYNCOBJ_HANDLE_S"),
    "drm_syncobj_timeline_array": ("timeline_array", ""),
    "drm_syncobj_destroy": ("", "SYNCOBJ_DESTROY_S"),
    "drm_syncobj_timeline_wait": ("timeline_wait", ""),
}
NUMBERS = {
    "DRM_IOCTL_AMDXDNA_CREATE_HWCTX": "CREATE_HWCTX",
    "DRM_IOCTL_AMDXDNA_DESTROY_HWCTX": "DESTROY_HWCTX",
    "DRM_IOCTL_AMDXDNA_CONFIG_HWCTX": "CONFIG_HWCTX",
    "DRM_IOCTL_AMDXDNA_CREATE_BO": "CREATE_BO",
    "DRM_IOCTL_AMDXDNA_GET_BO_INFO": "GET_BO_INFO",
    "DRM_IOCTL_AMDXDNA_SYNC_BO": "SYNC_BO",
    "DRM_IOCTL_AMDXDNA_EXEC_CMD": "EXEC_CMD",
    "DRM_IOCTL_AMDXDNA_GET_INFO": "GET_INFO",
    "DRM_IOCTL_AMDXDNA_GET_ARRAY": "GET_ARRAY",
    "DRM_IOCTL_PRIME_HANDLE_TO_FD": "PRIME_HANDLE_TO_FD",
    "DRM_IOCTL_PRIME_FD_TO_HANDLE": "PRIME_FD_TO_HANDLE",
    "DRM_IOCTL_GEM_CLOSE": "GEM_CLOSE",
    "DRM_IOCTL_SYNCOBJ_CREATE": "SYNCOBJ_CREATE",
    "DRM_IOCTL_SYNCOBJ_DESTROY": "SYNCOBJ_DESTROY",
    "DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD": "SYNCOBJ_HANDLE_TO_FD",
    "DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE": "SYNCOBJ_FD_TO_HANDLE",
}


@pytest.fixture
def compiler():
    found = shutil.which("g++")
    if found is None:
        pytest.skip("no g++, whose C++ library XRT is built with")
    return found


def test_cpp_program(compiler, emulated, cpp_program, passthrough, tmp_path):
    manifest = Path(passthrough)
    data = random.Random(1).randbytes(262144)
    files = [tmp_path / "in", tmp_path / "out"]
    files[0].write_bytes(data)
    files[1].write_bytes(bytes(len(data)))
    words = [str(manifest.with_name("design.xclbin")), str(manifest.with_name("insts.bin")), *map(str, files)]
    done = emulated.run("with-xrt", cpp_program, *words)
    assert done.stdout.split() in (["4"] * 2, ["ert_cmd_state::completed"] * 2), done.stderr
    assert files[1].read_bytes() == data


def skip_without_sharing(done):
    if done.returncode == 77:
        pytest.skip(f"this system does not let processes share descriptors (pidfd_getfd): {done.stderr}")


def test_buffer_of_two_processes(compiler, xrt, emulated, passthrough, tmp_path):
    program = compile_cpp(xrt, "share_buffer", tmp_path)
    data = random.Random(1).randbytes(262144)
    (tmp_path / "in").write_bytes(data)
    files = [Path(passthrough).with_name("design.xclbin"), Path(passthrough).with_name("insts.bin")]
    done = emulated.run("with-xrt", program, *map(str, files), str(tmp_path / "in"), str(tmp_path / "out"))
    skip_without_sharing(done)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    assert (tmp_path / "out").read_bytes() == data


def test_fences_of_two_processes(compiler, xrt, emulated, passthrough, tmp_path):
    program = compile_cpp(xrt, "fences", tmp_path)
    (tmp_path / "in").write_bytes(random.Random(1).randbytes(262144))
    files = [
        Path(passthrough).with_name("design.xclbin"),
        Path(passthrough).with_name("insts.bin"),
        tmp_path / "in",
    ]
    done = emulated.run("with-xrt", program, *map(str, files))
    skip_without_sharing(done)
    assert done.stdout.split() == ["waited", "signalled", "completed", "right"], done.stderr
    assert done.returncode == 0


def test_interface_is_the_kernels(compiler, xrt, tmp_path):
    lines = ["#include <cstdint>", "#include <drm/amdxdna_accel.h>", f'#include "{SOURCES / "amdxdna.h"}"']
    for theirs, (header, module) in STRUCTURES.items():
        if header:
            lines.append(f'static_assert(sizeof(struct {theirs}) == sizeof(struct {header}), "{theirs}");')
        if module:
            size = getattr(amdxdna, module).size
            lines.append(f'static_assert(sizeof(struct {theirs}) == {size}, "{theirs} {module}");')
    for theirs, ours in NUMBERS.items():
        lines.append(f'static_assert((({theirs}) & 255) == {getattr(amdxdna, ours)}, "{theirs}");')
    for name in re.findall(r"\bNR_(\w+) = ", (SOURCES / "amdxdna.h").read_text()):
        theirs = f"DRM_IOCTL_{name}" if name.startswith(("SYNCOBJ", "PRIME")) else f"DRM_IOCTL_AMDXDNA_{name}"
        lines.append(f'static_assert((({theirs}) & 255) == NR_{name}, "{name}");')
    source = tmp_path / "check.cpp"
    source.write_text("\n".join(lines))
    include = Path(xrt) / "xrt" / "usr" / "include"
    annotations = "-D__counted_by(member)="  # which this machine's kernel headers may not know
    subprocess.run(
        [compiler, "-idirafter", str(include), annotations, "-fsyntax-only", str(source)], check=True
    )


def test_instructions_as_an_elf(compiler, xrt, emulated, passthrough, tmp_path):
    program = compile_cpp(xrt, "run_elf", tmp_path)
    data = random.Random(2).randbytes(262144)
    (tmp_path / "in").write_bytes(data)
    insts = Path(passthrough).with_name("insts.bin").read_bytes()
    (tmp_path / "design.elf").write_bytes(write_instruction_elf(insts))
    files = [
        Path(passthrough).with_name("design.xclbin"),
        tmp_path / "design.elf",
        tmp_path / "in",
        tmp_path / "out",
    ]
    done = emulated.run("with-xrt", program, *map(str, files))
    assert done.stdout.split() in (["4"] * 2, ["ert_cmd_state::completed"] * 2), done.stderr
    assert (tmp_path / "out0").read_bytes() == data
    assert (tmp_path / "out1").read_bytes() == bytes((byte + 1) & 0xFF for byte in data)
