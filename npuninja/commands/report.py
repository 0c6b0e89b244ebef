"""`npuninja report`: a page for each built design, and one that names them all."""

from __future__ import annotations

import os

from npuninja.argument_parser import VerbParser
from npuninja.configure.built import build_of, designs_of, meant_folder, read_graph
from npuninja.device.run_options import seconds
from npuninja.errors import UserError
from npuninja.files import write_if_changed
from npuninja.report.design_facts import DesignFacts, read_design
from npuninja.report.page import design_page, index_page
from npuninja.report.sources import sources_beside, sources_of
from npuninja.report.tile_memory import LOWERED


def main(arguments: list[str]) -> int:
    """Runs the verb; returns the exit code."""
    parser = VerbParser(
        prog="npuninja report",
        description="Writes a page (HTML, one file, no network) for each design: floorplan, "
        "memory, timeline of an emulated run, where cores of machine code spend "
        "their cycles, test, providers.",
    )
    parser.add_argument(
        "designs",
        nargs="*",
        metavar="DESIGN",
        help="a design of the project here, or the folder of a built one (default: all designs)",
    )
    parser.add_argument(
        "-o", dest="folder", metavar="FOLDER", help="where the pages go (default: build/report)"
    )
    parser.add_argument(
        "--no-run", action="store_true", help="no timeline: the designs are not run on the emulated array"
    )
    parser.add_argument(
        "--time-limit", type=seconds, default=20.0, metavar="S", help="seconds for each run (default 20)"
    )
    options = parser.parse_args(arguments)
    target = options.folder
    words = options.designs or designs_of(read_graph(build_of()))
    folders = [meant_folder(word) for word in words]
    if options.folder:
        target = options.folder
    elif folders == words:
        target = os.path.join("build", "report")
    else:
        target = os.path.join(os.path.relpath(build_of().output_folder), "report")
    facts = [_with_sources(read_design(folder), folder) for folder in folders]
    for design, folder in zip(facts, folders):
        run = profile = None
        if not options.no_run:
            from npuninja.report.run_facts import (
                RunFacts,
                perfetto,
                read_profile,
                read_run,
            )  # wasmtime takes 50 ms

            manifest = os.path.join(folder, f"{design.name}.json")
            run = read_run(manifest, options.time_limit)
            profile = read_profile(manifest, options.time_limit)
            if isinstance(run, RunFacts):
                trace = perfetto(run.timeline, design.name)
                write_if_changed(os.path.join(target, f"{design.name}.trace.json"), trace)
        write_if_changed(os.path.join(target, f"{design.name}.html"), design_page(design, run, profile))
    index = os.path.join(target, "index.html")
    write_if_changed(index, index_page(facts))
    pages = [f"{design.name}.html" for design in facts]
    print(os.path.join(target, pages[0]) if len(pages) == 1 else f"{index}: {', '.join(pages)}")
    return 0


def _with_sources(facts: DesignFacts, folder: str) -> DesignFacts:
    """The facts with the design's sources: those of the graph, else what lies beside the lowered design."""
    try:
        build = build_of(folder)
        graph = read_graph(build)
    except UserError:  # a folder that somebody copied here
        sources, rest = sources_beside(os.path.join(folder, LOWERED))
    else:
        manifest = os.path.relpath(os.path.join(folder, f"{facts.name}.json"), build.ninja_folder)
        sources, rest = sources_of(graph, manifest, build.ninja_folder)
    return facts._replace(sources=sources, warnings=rest)
