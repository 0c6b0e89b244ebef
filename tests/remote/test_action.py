"""A stage's command as an action: the same from every folder and with tools at any place."""

from __future__ import annotations

import pytest

from npuninja.errors import InternalError, UserError
from npuninja.remote.action import as_here, depfile_as_here, make_action
from npuninja.remote.settings import RemoteSettings, RemoteTool, read_remote_settings

ZIG = RemoteTool("ziglang", "/opt/zig/zig", "ziglang-1-aa")
PEANO = RemoteTool("peano", "/opt/peano", "peano-19-bb")
INSIDE_PEANO = RemoteTool("clang", "/opt/peano/extra/clang", "clang-19-cc")
BASE = RemoteSettings("http://farm:1", "/bin/trexe", "f00d", (ZIG, PEANO, INSIDE_PEANO), "", 0)


def command(settings: RemoteSettings, *words: str) -> list[str]:
    action = make_action(settings, list(words), [], ["out"])
    return list(action.command[action.command.index("--") + 1 :])


@pytest.mark.parametrize(
    ("words", "expected", "tools"),
    [
        (["lower", "a.mlir", "-o", "b.mlir"], ["lower", "a.mlir", "-o", "b.mlir"], []),
        (["lower", "--identity", "python-3-12", "a.mlir"], ["lower", "a.mlir"], []),
        (["cc", "--compiler", "/opt/zig/zig"], ["cc", "--compiler", "@ziglang@"], [ZIG]),
        (
            ["ld", "--word", "-fuse-ld=/opt/peano/bin/ld.lld"],
            ["ld", "--word", "-fuse-ld=@peano@/bin/ld.lld"],
            [PEANO],
        ),
        (["cc", "--compiler", "/opt/peano/extra/clang"], ["cc", "--compiler", "@clang@"], [INSIDE_PEANO]),
        (["cc", "--cache", "build/compiler_cache"], ["cc", "--cache", "@cache@"], []),
        (["x", "/opt/peano/a", "/opt/zig/zig"], ["x", "@peano@/a", "@ziglang@"], [ZIG, PEANO]),
    ],
)
def test_places_of_tools_become_names_and_requirements(words, expected, tools):
    assert command(BASE, *words) == expected
    action = make_action(BASE, words, [], ["out"])
    assert action.requirements == ("npuninja=f00d", *(f"tool={tool.identity}" for tool in tools))
    asked = [action.command[i + 1] for i, word in enumerate(action.command) if word == "--require"]
    assert asked == list(action.requirements)


def test_a_place_that_only_this_machine_has_is_never_sent():
    with pytest.raises(InternalError, match="/opt/other/tool"):
        make_action(BASE, ["cc", "--compiler", "/opt/other/tool"], [], ["out"])
    # A name that only begins like a tool's is another one.
    with pytest.raises(InternalError, match="/opt/peano2"):
        make_action(BASE, ["cc", "/opt/peano2/x"], [], ["out"])


@pytest.mark.parametrize(
    ("sources", "depth", "folder", "path", "place"),
    [
        ("", 0, "", "kernels/x.c", "kernels/x.c"),
        ("", 0, "", "build/a.mlir", "build/a.mlir"),
        ("", 1, "build", "../kernels/x.c", "kernels/x.c"),
        ("", 2, "build/build", "../../kernels/x.c", "kernels/x.c"),
        ("", 1, "build", "npu1/a.mlir", "build/npu1/a.mlir"),
        ("/home/me/project/", 0, "build", "/home/me/project/kernels/x.c", "source/kernels/x.c"),
        ("/home/me/project/", 0, "build", "npu1/a.mlir", "build/npu1/a.mlir"),
    ],
)
def test_inputs_keep_their_place_relative_to_the_build_folder(sources, depth, folder, path, place):
    action = make_action(
        BASE._replace(sources=sources, depth=depth), ["lower", path], [path], ["npu1/b.mlir"]
    )
    assert action.folder == folder
    assert action.inputs == {place: path}


def test_a_build_folder_elsewhere_leaves_no_trace_of_the_sources_folder():
    actions = []
    for home in ("/home/me/project/", "/srv/other place/"):
        settings = BASE._replace(sources=home)
        words = ["kernel_cc", f"{home}kernels/x.c", "--prefix-map", f"{home}="]
        actions.append(make_action(settings, words, [f"{home}kernels/x.c"], ["x.o"]))
    assert actions[0].command == actions[1].command
    assert actions[0].command[-3:] == ("../source/kernels/x.c", "--prefix-map", "../source/=")
    assert list(actions[0].inputs) == list(actions[1].inputs) == ["source/kernels/x.c"]


def test_an_input_outside_the_project_is_refused():
    for path in ("../other/x.c", "/usr/include/x.h"):
        with pytest.raises(UserError, match="outside the project"):
            make_action(BASE, ["lower"], [path], ["out"])


def test_the_depfile_is_an_output():
    action = make_action(BASE, ["lower", "--depfile", "b.d", "-o", "b"], [], ["b"])
    assert action.outputs == ("b", "b.d")
    assert action.depfile == "b.d"


def test_what_comes_back_has_the_places_of_this_machine():
    settings = BASE._replace(sources="/home/my project/")
    text = "../source/kernels/x.c:3:1: error: from @npuninja@/npuninja/stages/x.py with @ziglang@"
    expected = "/home/my project/kernels/x.c:3:1: error: from /opt/n/npuninja/stages/x.py with /opt/zig/zig"
    assert as_here(settings, "/opt/n", text) == expected
    depfile = "x.o: \\\n  ../source/a.h \\\n  @npuninja@/npuninja/x.py\n"
    assert depfile_as_here(settings, "/opt/n", depfile) == (
        "x.o: \\\n  /home/my\\ project/a.h \\\n  /opt/n/npuninja/x.py\n"
    )


def test_settings_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "remote.json"
    path.write_text(BASE.as_json(), encoding="utf-8")
    assert read_remote_settings(str(path)) == BASE
    path.write_text('{"format": 99}', encoding="utf-8")
    with pytest.raises(UserError, match="no settings for building on other machines"):
        read_remote_settings(str(path))
