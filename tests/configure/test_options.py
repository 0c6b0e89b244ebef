"""What the command line says, what `[configure]` says below it, and the command line that says it again."""

import pytest

from npuninja.configure.options import Options, parse_options, to_arguments
from npuninja.configure.settings import read_settings, with_settings

FILE = """
[configure]
designs = ["gain"]
device = "npu2"
generator = "make"
werror = true
checks = ["races"]
schedules = 2
seeds = 3
separate-stages = true
launcher = "sccache"
prefix = "out"
define = ["A=1"]
include = ["own", "$XRT/include"]
"""


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ("", {}),
        ("--fresh", {"fresh": True}),
        ("add --device npu1", {"designs": ("add",), "device": "npu1"}),
        ("--checks none --schedules 4 --seeds 5", {"checks": (), "schedules": 4, "seeds": 5}),
        (
            "--define B --include more",
            {"defines": ("A=1", "B"), "includes": ("{}/own", "$XRT/include", "more")},
        ),
        ("--launcher ccache --prefix /opt", {"launcher": "ccache", "prefix": "/opt"}),
        ("--launcher= --prefix= --device=", {}),
        ("--remote=", {"remote": ""}),
    ],
)
def test_the_command_line_wins_where_it_says_something(tmp_path, words, changed):
    file = tmp_path / "toolchain.toml"
    file.write_text(FILE, encoding="utf-8")
    of_file = {
        "designs": ("gain",), "device": "npu2", "generator": "make", "werror": True, "checks": ("races",), "schedules": 2,
        "seeds": 3, "separate": True, "launcher": "sccache", "prefix": "{}/out", "defines": ("A=1",),
        "includes": ("{}/own", "$XRT/include"),
    }  # fmt: skip
    found = with_settings(parse_options(words.split()), read_settings(str(file)))
    expected = {**vars(Options()), **of_file, **changed}
    assert repr(vars(found)) == repr(expected).replace("{}", str(tmp_path))


@pytest.mark.parametrize(
    ("words", "again"),
    [
        ("", ""),
        ("add --werror -Bout gain", "-B out --werror add gain"),
        ("--checks none --seeds 2 --schedules 1", "--checks none --schedules 1 --seeds 2"),
        ("--checks races,memory --generator ninja", "--checks races,memory"),
        ("--include b --define X=1 --include a", "--define X=1 --include b --include a"),
        ("--fresh --why gain --launcher= --device=", ""),
    ],
)
def test_the_command_line_that_says_it_again(words, again):
    assert to_arguments(parse_options(words.split())) == again.split()
