"""Kernel objects and what they are made of, planned for a made-up machine: no disk, no process."""

from __future__ import annotations

import re
from typing import Any

import pytest
from made_up import design, machine, refuse_disk
from test_recipe import VENDORS, context, edges

from npuninja.errors import Location, UserError
from npuninja.plan.design import Core, LinkedObject, OwnKernel
from npuninja.plan.graph import Edge, Graph
from npuninja.plan.kernel_settings import KernelSettings, joined, own_kernels
from npuninja.plan.kernels import KernelFolder
from npuninja.plan.recipe import plan
from npuninja.records import replace

AT = Location("toolchain.toml", 5)
FOLDER = "build/npu1_1col/wasm/kernels"
SOURCES = {"gain": ("kernels/gain.c",), "two": ("kernels/a/two.cc", "kernels/b/two.cc")}


@pytest.fixture(autouse=True)
def _no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_disk(monkeypatch)


def planned(
    *settings: KernelSettings,
    names: tuple[str, ...] = ("gain.o",),
    words: tuple[str, ...] = (),
    **folder: Any,
) -> Graph:
    """The graph of a design whose core is linked with objects of these names."""
    known = {"path": "kernels", "folders": ("kernels",), "sources": SOURCES, "settings": settings, **folder}
    there = machine(*(VENDORS if not words else ()))
    core = Core(0, 2, tuple(LinkedObject(name, Location("mlir/gain.mlir", 8)) for name in names))
    made = design()
    made = replace(made, configurations=(replace(made.configurations[0], cores=(core,)),))
    return plan(context(there, *words, kernels=KernelFolder(**known)), [made])


def made_by(graph: Graph, output: str) -> Edge:
    return next(edge for edge in graph.edges if edge.outputs == (output,))


def test_an_object_of_several_sources_is_joined():
    settings = KernelSettings("gain.o", AT, ("src/a.c", "src/b.cc", "made/c.o"), defines=("N=4",))
    graph = planned(settings)
    join = made_by(graph, f"{FOLDER}/gain.o")
    parts = (f"{FOLDER}/gain.o.parts/0_a.o", f"{FOLDER}/gain.o.parts/1_b.o")
    assert (join.rule, join.inputs) == ("kernel_join", (*parts, "made/c.o"))
    assert all("N=4" in made_by(graph, part).options for part in parts)


def test_a_source_may_be_another_kernel():
    inner = KernelSettings("inner.o", AT, ("src/inner.c",))
    outer = KernelSettings("gain.o", AT, ("src/a.c", "inner.o"), locations=(("sources", AT),))
    graph = planned(inner, outer)
    assert made_by(graph, f"{FOLDER}/gain.o").inputs == (f"{FOLDER}/gain.o.parts/0_a.o", f"{FOLDER}/inner.o")
    assert made_by(graph, f"{FOLDER}/inner.o").inputs == ("src/inner.c",)


def test_settings_go_from_the_general_to_the_special():
    graph = planned(
        KernelSettings("gain.o", AT, defines=("SPECIAL",), language="c++20", float="fast"),
        KernelSettings("*.o", AT, defines=("ALL",), include=("inc",), flags=("-Wextra",), language="c"),
        joined("*", defines=("LINE",), include=("/more",)),
    )
    options = " ".join(edges(graph)["kernel_cc"].options)
    assert "--define LINE --define ALL --define SPECIAL" in options
    assert "--kernel-include /more --kernel-include inc" in options
    assert "--language c++20 --float fast" in options
    assert "--flag -Wextra" in options


def test_an_object_for_some_designs_has_a_folder_of_its_own():
    graph = planned(KernelSettings("gain.o", AT, defines=("A",), designs=("gain",)))
    assert made_by(graph, f"{FOLDER}/gain/gain.o").inputs == ("kernels/gain.c",)
    other = planned(KernelSettings("gain.o", AT, defines=("A",), designs=("other",)))
    assert "A" not in made_by(other, f"{FOLDER}/gain.o").options


def test_kernels_that_a_design_in_python_brings():
    own = own_kernels([replace(design(), kernels=(OwnKernel("gain.o", "lib/gain.cc", ("lib",), ("-O3",)),))])
    graph = planned(*own)
    assert made_by(graph, f"{FOLDER}/gain/gain.o").inputs == ("lib/gain.cc",)


def test_of_two_sources_the_folder_in_the_name_or_the_designs_own_counts():
    assert made_by(planned(names=("b/two.o",)), f"{FOLDER}/b/two.o").inputs == ("kernels/b/two.cc",)
    mine = {"two": ("kernels/a/two.cc", "kernels/gain/two.cc")}
    graph = planned(names=("two.o",), sources=mine)
    assert made_by(graph, f"{FOLDER}/gain/two.o").inputs == ("kernels/gain/two.cc",)


def test_assembly_is_for_the_npu():
    settings = KernelSettings("gain.o", AT, ("src/gain.s",), locations=(("sources", AT),))
    assert edges(planned(settings, words=("kernel=real",)))["kernel_cc_peano"].inputs == ("src/gain.s",)
    with pytest.raises(UserError, match="is assembly of the AI Engine"):
        planned(settings)


REFUSED = {
    "made of nothing": (KernelSettings("gain.o", AT, ()),),
    "is no source of a kernel": (KernelSettings("gain.o", AT, ("gain.txt",)),),
    "is described twice": (KernelSettings("gain.o", AT, ("a.c",)), KernelSettings("gain.o", AT, ("b.c",))),
    "is not yours to give": (KernelSettings("gain.o", AT, flags=("-c",)),),
    "there is no file 'gone.c'": (KernelSettings("gain.o", AT, ("gone.c",)),),
    "is no macro": (KernelSettings("gain.o", AT, defines=("-DX",)),),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_is_located(message):
    with pytest.raises(UserError, match=message) as caught:
        planned(*REFUSED[message], absent=frozenset({"gone.c"}))
    assert caught.value.location == AT


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("two.o", "could be made from kernels/a/two.cc or kernels/b/two.cc", r"\[kernel\.\"two.o\"\]"),
        ("gian.o", "nothing makes 'gian.o'", "did you mean gain.o"),
        ("lib.a", "nothing makes 'lib.a'", r"kernels/lib.a lies there"),
        ("gain.c", "which is no object file", r"X\.o is made from"),
        ("-gain.o", "is not made of letters", "rename it"),
    ],
)
def test_an_object_that_nothing_makes_says_what_there_is(name, message, hint):
    with pytest.raises(UserError, match=message) as caught:
        planned(names=(name,), binaries={"lib.a": ("kernels/lib.a",)})
    assert caught.value.location == ("mlir/gain.mlir", 8, 0)
    assert caught.value.hint is not None
    assert re.search(hint, caught.value.hint)


def test_one_name_for_two_objects_is_refused():
    here = KernelSettings("gain.o", AT, ("src/a.c",), designs=("gain",))
    folder = KernelFolder("kernels", ("kernels",), SOURCES, settings=(here,))
    linked = LinkedObject("gain/gain.o", Location("mlir/other.mlir", 2))
    other = replace(design("other"), configurations=(
        replace(design().configurations[0], cores=(Core(0, 2, (linked,)),)),
    ))  # fmt: skip
    with pytest.raises(UserError, match="is wanted twice"):
        plan(context(machine(*VENDORS), kernels=folder), [design(), other])
