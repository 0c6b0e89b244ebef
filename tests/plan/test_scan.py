import json

import pytest
from conftest import CONFORMANCE, positive_designs

from npuninja.configure.kernel_folder import read_kernel_folder
from npuninja.errors import Location, UserError
from npuninja.ir.parser import parse_module
from npuninja.plan.design import Design, from_json, to_json
from npuninja.plan.scan import scan_module


def scan(text: str, file: str = "x.mlir") -> Design:
    return scan_module(parse_module(text, file), "x", file, file, ())


@pytest.mark.parametrize("folder", positive_designs(), ids=lambda folder: folder.name)
def test_scan_sees_what_the_reference_saw(folder):
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    path = folder / "design.mlir"
    text = path.read_text(encoding="utf-8")
    if not meta["sequences"]:
        with pytest.raises(UserError, match="has no runtime sequence"):
            scan(text, str(path))
        return
    design = scan(text, str(path))
    devices = meta.get("devices") or [design.configurations[0].symbol]
    assert [c.symbol for c in design.configurations] == devices
    assert len(devices) > 1 or design.device == meta["device"]
    assert [sequence.name for _, sequence in design.runs] == [s["sequence"] for s in meta["sequences"]]
    cores = {
        (core.column, core.row, c.symbol): sorted(linked.name for linked in core.objects)
        for c in design.configurations
        for core in c.cores
    }
    expected = {}
    for column, row, linked, *of in meta["cores"]:
        names = [linked] if isinstance(linked, str) else linked or []
        expected[column, row, of[0] if of else devices[0]] = sorted(names)
    assert cores == expected
    assert from_json(json.loads(json.dumps(to_json(design))), "x", str(path), str(path), ()) == design


def test_an_object_is_located_where_it_is_named():
    path = CONFORMANCE / "new_core_link_with/design.mlir"
    design = scan(path.read_text(encoding="utf-8"), str(path))
    lines = path.read_text(encoding="utf-8").split("\n")
    for core in design.configurations[0].cores:
        for linked in core.objects:
            assert lines[linked.location.line - 1][linked.location.column - 1 :].startswith(
                f'"{linked.name}"'
            )


CORE = "module {{ aie.device(npu1_1col) {{ {body} }} }}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("module { }", "no aie.device"),
        (CORE.format(body="%t = aie.tile(0, 2)"), "no runtime sequence"),
        (
            CORE.format(
                body=f"aiex.runtime_sequence({', '.join(f'%a{i}: memref<4xi32>' for i in range(17))}) {{ }}"
            ),
            "17 arguments, a kernel takes at most 16 buffers",
        ),
        (
            "module { aie.device(npu1) @a { aie.runtime_sequence @a() { } } aie.device(npu2) @b { } }",
            "one device is for npu2, another for npu1",
        ),
        (
            "module { aie.device(npu1) { aie.runtime_sequence @a() { } } aie.device(npu1) { } }",
            "two devices are called @main",
        ),
        (
            CORE.format(
                body='%t = aie.tile(0, 2) %c = aie.core(%t) { aie.end } {elf_file = "a.elf"} '
                "aiex.runtime_sequence @a() { }"
            ),
            "brings its own ELF",
        ),
    ],
)
def test_designs_that_cannot_be_built_are_refused(text, message):
    with pytest.raises(UserError, match=message) as error:
        scan(text)
    assert error.value.location is not None
    assert error.value.hint


def test_objects_of_functions_are_found_through_other_functions():
    text = """
    module { aie.device(npu1_1col) {
      %t = aie.tile(0, 2)
      func.func private @inner() attributes {link_with = "inner.o"}
      func.func private @unused() attributes {link_with = "unused.o"}
      func.func @outer() { func.call @inner() : () -> () return }
      %c = aie.core(%t) { func.call @outer() : () -> () func.call @inner() : () -> () aie.end }
      aie.runtime_sequence @a() { }
    } }"""
    assert [linked.name for linked in scan(text).configurations[0].cores[0].objects] == ["inner.o"]


def test_logical_tiles_are_placed_as_the_lowering_places_them():
    text = """
    module { aie.device(npu1_1col) {
      %t = aie.logical_tile<CoreTile>(?, ?)
      %u = aie.logical_tile<CoreTile>(0, 2)
      %c = aie.core(%t) { aie.end }
      %d = aie.core(%u) { aie.end }
      aie.runtime_sequence @a() { }
    } }"""
    assert [(core.column, core.row) for core in scan(text).configurations[0].cores] == [(0, 2), (0, 3)]


def test_kernel_folders_are_listed_with_what_is_in_them(tmp_path):
    for name in ("a/one.c", "a/one.h", "a/deep/two.cc", "b/three.cpp", ".git/no.c", "b/__pycache__/no.c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    folder = read_kernel_folder(str(tmp_path), "kernels")
    assert folder.folders == ("kernels", "kernels/a", "kernels/a/deep", "kernels/b")
    assert folder.sources == {
        "one": ("kernels/a/one.c",),
        "two": ("kernels/a/deep/two.cc",),
        "three": ("kernels/b/three.cpp",),
    }


def test_no_kernel_at_all_says_where_one_belongs(tmp_path):
    from npuninja.plan.design import LinkedObject

    with pytest.raises(UserError, match=r"nothing makes 'k\.o'") as error:
        read_kernel_folder(str(tmp_path / "none"), "kernels").object_of(
            LinkedObject("k.o", Location("d.mlir", 1, 1)), "d"
        )
    assert "put k.c, k.cc or k.cpp below kernels/" in (error.value.hint or "")
