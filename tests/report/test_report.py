"""Pages about built designs: the ways of streams, what is on a page, and what a browser makes of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from browser import look, needs_browser
from conftest import CONFORMANCE, positive_designs
from negate_project import KERNEL, NegateProject

from npuninja.ir.parser import parse_module
from npuninja.report.routes import routes_of


def routed() -> list[Path]:
    return [
        folder / "input_physical.mlir"
        for folder in positive_designs()
        if (folder / "input_physical.mlir").exists()
    ]


def test_every_flow_of_the_reference_is_a_route() -> None:
    """Each circuit of a design's `aie.flow`s arrives where the flow says."""
    seen = 0
    for physical in routed():
        if seen > 400:
            break
        text = physical.read_text(encoding="utf-8")
        before = physical.with_name("input_with_addresses.mlir").read_text(encoding="utf-8")
        flows = re.findall(r"aie\.flow\(%(\w+), (\w+) : (\d+), %(\w+), (\w+) : (\d+)\)", before)
        module = parse_module(text, str(physical))
        for device in module.body.ops:
            if device.name != "aie.device" or text.count("aie.device(") != 1:
                continue
            places = {
                match[1]: (int(match[2]), int(match[3]))
                for match in re.finditer(r"%(\w+) = aie\.tile\((\d+), (\d+)\)", before)
            }
            routes = routes_of(device)
            ways = {
                (r.source.tile, r.source.bundle, r.source.channel, e.tile, e.bundle, e.channel)
                for r in routes
                for e in r.ends
            }
            for source, sb, sc, dest, db, dc in flows:
                assert (places[source], sb, int(sc), places[dest], db, int(dc)) in ways, (
                    physical,
                    source,
                    dest,
                )
                seen += 1
    assert seen > 50, f"no flows below {CONFORMANCE}"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report") / "a project"
    (folder / "mlir").mkdir(parents=True)
    empty = NegateProject(folder, folder.parent)
    empty.write("kernels/minus.c", KERNEL.replace("FACTOR", "-1"))
    empty.design("minus", "minus.o")
    empty.configure()
    empty.ninja("test")
    assert "minus.html" in empty.ninja("report").stdout
    assert '<a href="minus.html">minus</a>' in (empty.folder / "build/report/index.html").read_text(
        encoding="utf-8"
    )
    trace = json.loads((empty.folder / "build/report/minus.trace.json").read_text(encoding="utf-8"))
    assert {e["args"]["design"] for e in trace["traceEvents"] if e["ph"] == "X"} == {"minus"}
    assert "core (0, 2)" in {e["args"].get("name") for e in trace["traceEvents"] if e["ph"] == "M"}
    return (empty.folder / "build/report/minus.html").read_text(encoding="utf-8")


def test_a_page_says_what_was_built(page: str) -> None:
    assert 'data-core="negate"' in page
    assert "stream from (0, 0) DMA 0 to (0, 2) DMA 0" in page
    assert "stream from (0, 2) DMA 0 to (0, 0) DMA 0" in page
    assert "src_cons_buff_0: memref&lt;64xi8&gt;, 64 bytes" in page
    assert "S2MM 0: BD 0 src_cons_buff_0 → BD 1 src_cons_buff_1" in page
    assert "Last test (emulated): <b>right</b>" in page
    assert "modelled</b> on the order of an emulated run (inputs: made by the reference" in page
    assert "What decides the length" in page
    assert 'id="roofline"' in page
    # Nothing of it is fetched.
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


@needs_browser
def test_a_browser_shows_it(page: str, tmp_path: Path) -> None:
    found = look(page, tmp_path, """
    const core = document.querySelector("[data-core]"), says = document.getElementById("says");
    core.dispatchEvent(new MouseEvent("mouseenter"));
    const hover_core = says.textContent, route = document.querySelector(".route");
    route.dispatchEvent(new MouseEvent("mouseenter"));
    const hover_route = says.textContent, canvas = document.getElementById("timeline"), before = timelineView()[1];
    canvas.dispatchEvent(new WheelEvent("wheel", {deltaY: -1, clientX: 400, bubbles: true, cancelable: true}));
    document.getElementById("closer").click();
    const zoomed = timelineView()[1] - timelineView()[0] < before / 2;
    document.getElementById("whole").click();
    const box = canvas.getBoundingClientRect(), spoken = {}, lanes = timelineLanes();
    lanes.forEach((name, at) => {
      for (let x = 280; x < box.width; x += 3)
        canvas.dispatchEvent(new PointerEvent("pointermove", {clientX: box.left + x, clientY: box.top + 32 + 20 * at}));
      spoken[name] = says.textContent;
    });
    const routed = document.getElementById("routed");
    routed.open = true; routed.dispatchEvent(new Event("toggle"));
    const locks = document.querySelector("[data-group=locks]");
    locks.click();
    const fewer = timelineLanes();
    return {hover_core, hover_route, zoomed, whole: timelineView()[1] === before, spoken, lanes, fewer,
            cores: document.querySelectorAll("[data-core]").length, wide: Math.round(core.getBoundingClientRect().width),
            routed: routed.querySelector("pre").textContent, source: document.querySelector("[data-source]").dataset.source};
    """)  # fmt: skip
    assert "core: negate" in found["hover_core"]
    assert "lock 0, first 2" in found["hover_core"]
    assert found["hover_route"].startswith("stream from (0, ")
    assert found["cores"] == 1
    assert found["wide"] == 200
    assert found["zoomed"]
    assert found["whole"]
    assert found["lanes"][:2] == ["the host", "the runtime sequence"]
    spoken = found["spoken"]
    assert "waits for the runtime sequence" in spoken["the host"]
    stream = "stream MM2S 0 of tile (0, 0) → S2MM 0 of tile (0, 2)"
    assert "64 bytes" in spoken[stream]
    lock = next(name for name in found["lanes"] if name.startswith("lock ") and "src_cons_cons_lock" in name)
    assert "value " in spoken[lock]
    assert all(name in says for name, says in spoken.items() if name.startswith(("lock", "stream", "core")))
    assert not [name for name in found["fewer"] if name.startswith("lock ")]
    assert stream in found["fewer"]
    assert found["source"] == "mlir/minus.mlir"
    assert found["routed"].startswith("    1  module")
    assert "aie.switchbox" in found["routed"]
