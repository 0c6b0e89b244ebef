import os
import shutil
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from npuninja.depfile import read_depfile, write_depfile
from npuninja.errors import InternalError, ToolError, UserError
from npuninja.stages.__main__ import modules_are_said
from npuninja.stages._run import Outputs, read_arguments, read_bytes, read_text
from npuninja.stages._tool import ToolFailed, run_tool


def test_arguments_are_taken_apart():
    words = [
        "in.mlir",
        "--core",
        "0,2",
        "--core",
        "0,3",
        "--fast",
        "-o",
        "out",
        "--identity",
        "x",
        "--",
        "--odd",
    ]
    arguments = read_arguments("stage", words, options=("--core",), flags=("--fast",))
    assert arguments.positional == ("in.mlir", "--odd")
    assert arguments.all("--core") == ["0,2", "0,3"]
    assert (arguments.one("-o"), arguments.optional("--kind"), arguments.flags) == ("out", None, {"--fast"})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--cores", "1"], "stage: unknown option '--cores'"),
        (["--core"], "stage: option --core needs a value"),
    ],
)
def test_wrong_arguments_are_refused(words, message):
    with pytest.raises(UserError, match=message):
        read_arguments("stage", words, options=("--core",))


def test_missing_arguments_are_named():
    arguments = read_arguments("stage", [])
    with pytest.raises(UserError, match="option -o is missing"):
        arguments.one("-o")
    with pytest.raises(UserError, match="expected one input file, got 0"):
        arguments.input()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read"),
        (b"", "the file is empty"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
    ],
)
def test_inputs_are_checked(tmp_path, content, message):
    path = tmp_path / "in"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_bytes(str(path))


def test_outputs_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("content")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ToolError, match=r"cannot write .*file: file exists"):
        Outputs(str(tmp_path / "file" / "out"))
    target = str(tmp_path / "folder")
    with pytest.raises(ToolError, match=r"cannot write .*folder: is a directory"), Outputs(target) as outputs:
        outputs.write(target, "text")
    target = str(tmp_path / "new" / "gone")
    outputs = Outputs(target)
    (tmp_path / "new").rmdir()
    with pytest.raises(ToolError, match=r"cannot write .*gone: no such file"):
        outputs.write(target, "text")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]


def test_text_must_be_utf8(tmp_path):
    path = tmp_path / "in"
    path.write_bytes(b"good\nb\xff")
    with pytest.raises(UserError, match="byte 0xff is not UTF-8") as error:
        read_text(str(path))
    assert error.value.location is not None
    assert error.value.location.line == 2


def test_outputs_appear_together_at_the_end(tmp_path):
    one, two = str(tmp_path / "new" / "one"), str(tmp_path / "two.bin")
    with Outputs(one, two) as outputs:
        outputs.write(one, "text")
        outputs.write(two, b"data")
        assert not os.path.exists(one)
        assert outputs.temporary(two).endswith(".bin")
    assert read_text(one) == "text"
    assert read_bytes(two) == b"data"
    assert sorted(os.listdir(tmp_path)) == ["new", "two.bin"]


def test_an_equal_output_keeps_its_time(tmp_path):
    path = str(tmp_path / "out")
    for _ in range(2):
        with Outputs(path) as outputs:
            outputs.write(path, "same")
        os.utime(path, (1, 1))
    with Outputs(path) as outputs:
        outputs.write(path, "same")
    assert os.stat(path).st_mtime == 1
    with Outputs(path) as outputs:
        outputs.write(path, "else")
    assert os.stat(path).st_mtime > 1


def make(good, bad, content, check):
    with Outputs(good, bad) as outputs:
        outputs.write(good, b"fine")
        if content is not None:
            outputs.write(bad, content, check)


def refuse(data: bytes) -> None:
    raise ToolError(f"{data!r} is wrong")


@pytest.mark.parametrize(
    ("content", "check", "message"),
    [
        (None, None, "no file .* was made"),
        (b"", None, "was made empty"),
        (b"x", refuse, "b'x' is wrong"),
    ],
)
def test_a_bad_output_leaves_nothing_not_even_the_old_one(tmp_path, content, check, message):
    good, bad = str(tmp_path / "good"), str(tmp_path / "bad")
    for path in (good, bad):
        with open(path, "w", encoding="utf-8") as stream:
            stream.write("of an earlier build")
    with pytest.raises(ToolError, match=message):
        make(good, bad, content, check)
    assert os.listdir(tmp_path) == []


def test_an_exception_inside_leaves_nothing(tmp_path):
    path = str(tmp_path / "out")

    def fail() -> None:
        with Outputs(path) as outputs:
            outputs.write(path, "x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert os.listdir(tmp_path) == []


def test_an_output_must_be_announced(tmp_path):
    with pytest.raises(InternalError, match="not announced"), Outputs(str(tmp_path / "a")) as outputs:
        outputs.write(str(tmp_path / "b"), "x")


def test_a_tool_runs_with_few_variables(monkeypatch):
    monkeypatch.setenv("SOME_SETTING", "1")
    printed = run_tool(
        [sys.executable, "-c", "import os; print(sorted(os.environ))"], variables={"GIVEN": "1"}
    )
    assert "'GIVEN'" in printed
    assert "'LC_ALL'" in printed
    assert "SOME_SETTING" not in printed


def test_a_failing_tool_shows_command_and_output():
    with pytest.raises(ToolFailed, match="failed with exit code 3") as error:
        run_tool([sys.executable, "-c", "print('it hurts'); raise SystemExit(3)"])
    assert "it hurts" in error.value.render()
    assert error.value.output == "it hurts\n"


def test_a_slow_tool_is_ended():
    with pytest.raises(ToolError, match=r"did not end within 0\.2 s"):
        run_tool([sys.executable, "-c", "import time; time.sleep(30)"], time_limit_s=0.2)


def test_a_missing_tool_says_to_configure_again(tmp_path):
    with pytest.raises(ToolError, match="cannot start") as error:
        run_tool([str(tmp_path / "gone")])
    assert "configure.py" in (error.value.hint or "")


PATHS = st.lists(st.text("ab/.-_ $#é", min_size=1), max_size=6, unique=True)


@given(dependencies=PATHS)
def test_depfiles_read_back_as_written(tmp_path_factory, dependencies):
    path = str(tmp_path_factory.getbasetemp() / "file.d")
    write_depfile(path, "out put", dependencies)
    assert read_depfile(path) == dependencies


def test_a_compilers_depfile_is_read(tmp_path):
    path = tmp_path / "k.d"
    path.write_text("build/k.o: kernels/k.c \\\n  kernels/my\\ header.h \\\n /usr/x$$y.h\n", encoding="utf-8")
    assert read_depfile(str(path)) == ["kernels/k.c", "kernels/my header.h", "/usr/x$y.h"]


def stage(*arguments: str, folder: str = ".") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-S", "-E", str(ROOT / "npuninja/stages"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_an_unknown_stage_lists_those_there_are():
    done = stage("lowr")
    assert done.returncode == 2
    assert "there is no stage 'lowr'" in done.stderr
    assert "lower" in done.stderr


def test_a_stage_names_its_own_modules_in_the_depfile(tmp_path):
    shutil.copy(ROOT / "tests/projects/plain/mlir/gain.mlir", tmp_path / "in.mlir")
    done = stage("lower", "in.mlir", "-o", "out.mlir", "--depfile", "out.mlir.d", folder=str(tmp_path))
    assert done.returncode == 0, done.stderr
    names = read_depfile(str(tmp_path / "out.mlir.d"))
    assert str(ROOT / "npuninja/stages/lower.py") in names
    assert str(ROOT / "npuninja/lowering/pipeline.py") in names


def test_a_command_that_says_its_modules_needs_none_in_the_depfile(tmp_path):
    shutil.copy(ROOT / "tests/projects/plain/mlir/gain.mlir", tmp_path / "in.mlir")
    words = ("--modules", "0123", "in.mlir", "-o", "out.mlir", "--depfile", "out.mlir.d")
    assert stage("lower", *words, folder=str(tmp_path)).returncode == 0
    assert read_depfile(str(tmp_path / "out.mlir.d")) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["batch", "--then", "lower", "--modules", "a", "--then", "route", "--modules", "b"], True),
        (["batch", "--then", "lower", "--modules", "a", "--then", "mine", "x"], False),
        (["lower", "--modules", "a"], True),
        (["lower"], False),
    ],
)
def test_a_batch_needs_the_modules_of_each_stage(words, said):
    assert modules_are_said(words) is said


def test_a_wrong_design_is_refused_with_its_place_and_leaves_nothing(tmp_path):
    design = "module {\n  aie.device(npu1_1col) {\n    %t = aie.tile(0,\n  }\n}\n"
    (tmp_path / "in.mlir").write_text(design, encoding="utf-8")
    done = stage("lower", "in.mlir", "-o", "out.mlir", folder=str(tmp_path))
    assert done.returncode == 2
    assert "in.mlir:" in done.stderr
    assert "Traceback" not in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["in.mlir"]


def test_a_stage_whose_build_was_killed_leaves_the_outputs_of_the_next_build_alone(tmp_path):
    program = """
import sys, time
sys.path.insert(0, sys.argv[1])
from npuninja.stages._run import Outputs
try:
    with Outputs("a.bin") as outputs:
        outputs.write("a.bin", b"old")
        open("started", "w").close()
        while not __import__("os").path.exists("go"):
            time.sleep(0.005)
        if sys.argv[2] == "fails":
            raise ValueError
finally:
    open("ended", "w").close()
"""
    for way in ("succeeds", "fails"):
        for name in ("started", "go", "ended"):
            (tmp_path / name).unlink(missing_ok=True)
        # The middle one stands for Ninja: it waits, and is killed.
        middle = "import subprocess, sys; subprocess.run([sys.executable, '-c', *sys.argv[1:]])"
        command = [sys.executable, "-c", middle, program, str(ROOT), way]
        build = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
        wait_for(tmp_path / "started")
        build.kill()
        build.wait()
        (tmp_path / "a.bin").write_bytes(b"new")
        (tmp_path / "go").touch()
        wait_for(tmp_path / "ended")
        assert (tmp_path / "a.bin").read_bytes() == b"new"
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".new")] == []


def wait_for(path):
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} did not come"
        time.sleep(0.005)
