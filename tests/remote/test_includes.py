"""Headers are found without a compiler; what cannot be found is an error with its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from npuninja.errors import UserError
from npuninja.remote.includes import included_files


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"x.c": '#include "a.h"\n', "a.h": ""}, ["a.h"], id="one"),
        pytest.param(
            {"x.c": '#include "a.h"', "a.h": '#include "b/c.h"', "b/c.h": ""}, ["a.h", "b/c.h"], id="nested"
        ),
        pytest.param(
            {"x.c": '#include "b/c.h"', "b/c.h": '#include "../d.h"', "d.h": ""},
            ["b/c.h", "d.h"],
            id="upwards",
        ),
        pytest.param(
            {"x.c": '#include "a.h"', "a.h": '#include "x.c"\n#include "a.h"'}, ["a.h"], id="circle"
        ),
        pytest.param({"x.c": '  #  include\t"a.h"', "a.h": ""}, ["a.h"], id="blanks"),
        pytest.param({"x.c": '#inc\\\nlude \\\n"a.h"', "a.h": ""}, ["a.h"], id="split over lines"),
        pytest.param({"x.c": '#if 0\n#include "a.h"\n#endif', "a.h": ""}, ["a.h"], id="conditional"),
        pytest.param({"x.c": '/* */ #include "a.h" // there', "a.h": ""}, ["a.h"], id="beside comments"),
        pytest.param({"x.c": '// #include "a.h"\n/*\n#include "a.h"\n*/', "a.h": ""}, [], id="in comments"),
        pytest.param(
            {"x.c": 'char *s = "/*";\n#include "a.h"', "a.h": ""}, ["a.h"], id="comment in a string"
        ),
        pytest.param({"x.c": "#include <stdint.h>\n#include <aie_api/aie.hpp>\n"}, [], id="the compiler's"),
        pytest.param({"x.c": '#include "aie_api/aie.hpp"\n'}, [], id="of another compiler"),
        pytest.param({"x.c": '#if __has_include("a.h")\n#endif', "a.h": ""}, ["a.h"], id="asked for"),
        pytest.param(
            {"x.c": 'char t[] = {\n#embed "t.bin" limit(3)\n};', "t.bin": "abc"}, ["t.bin"], id="embedded"
        ),
        pytest.param({"x.c": '#define H "a.h"\n', "a.h": ""}, [], id="only a macro"),
    ],
)
def test_headers_are_found(tmp_path, monkeypatch, files, expected):
    write(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    assert included_files("x.c") == expected


def test_paths_are_as_from_the_build_folder(tmp_path, monkeypatch):
    write(tmp_path, {"kernels/x/x.c": '#include "../common/a.h"', "kernels/common/a.h": ""})
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    assert included_files("../kernels/x/x.c") == [os.path.join("..", "kernels", "common", "a.h")]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ('#define H "a.h"\n  #include H\n', "x.c:2:3", "made by a macro"),
        ('/* one\n two */\n#include "/usr/include/a.h"\n', "x.c:3:1", "absolute path"),
    ],
)
def test_what_cannot_be_found_is_an_error_with_its_place(tmp_path, monkeypatch, text, place, message):
    write(tmp_path, {"x.c": text, "a.h": ""})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message) as raised:
        included_files("x.c")
    assert f"{place}: error" in raised.value.render()
