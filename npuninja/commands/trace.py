"""`npuninja trace`: where the time of the last build went, as a trace for Perfetto and in words."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from npuninja.argument_parser import VerbParser
from npuninja.configure.built import build_of, read_graph_file
from npuninja.device.run_options import seconds
from npuninja.emit.build_log import LoggedStep, as_run, critical_path, lanes, read_builds
from npuninja.errors import Location, UserError
from npuninja.files import MAX_XCLBIN_BYTES, read_file

SHOWN_STEPS = 10  # of the slowest steps
# Targets that look at a build; a run of Ninja that did only these is not the build that is asked for.
LOOKING = frozenset({"size", "doctor", "install", "build.ninja"})


def main(arguments: list[str]) -> int:
    """Writes the trace, prints the summary."""
    parser = VerbParser(
        prog="npuninja trace",
        description="Turns Ninja's log of the last build into a trace for https://ui.perfetto.dev and says "
        "which chain of steps decided how long it took.",
    )
    parser.add_argument("folder", nargs="?", help="the build folder (default: that of the project here)")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="the trace (default: trace.json in the build folder)"
    )
    traced = parser.add_argument_group("the trace of a run", "instead of the build's")
    traced.add_argument(
        "--run",
        metavar="NAME",
        help="run a built design whose trace units are on, and decode what they wrote; "
        "or the .json beside its .xclbin",
    )
    traced.add_argument(
        "--buffer", metavar="FILE", help="decode this buffer of an earlier run, raw or as words in hex"
    )
    traced.add_argument(
        "--keep",
        metavar="FILE",
        help="keep the buffer as well, a word in hex a line, as MLIR-AIE's tools read it",
    )
    traced.add_argument("--kernel", metavar="K", help="of a design with several kernels")
    traced.add_argument("--sequence", metavar="S", help="of a design with several runtime sequences")
    traced.add_argument("--device", choices=("auto", "npu", "emu"), default="auto", help="where to run")
    traced.add_argument(
        "--input", action="append", default=[], metavar="[NAME=]FILE", help="data for an input"
    )
    traced.add_argument("--seed", type=int, default=1, metavar="N", help="of the inputs (default 1)")
    traced.add_argument(
        "--time-limit", type=seconds, default=30.0, metavar="S", help="of the run, in seconds"
    )
    traced.add_argument(
        "--column-shift",
        type=int,
        default=0,
        metavar="N",
        help="columns in front of the design's first on the NPU",
    )
    options = parser.parse_args(arguments)
    if options.run:
        from npuninja.commands.trace_run import run

        return run(options)
    options.folder = options.folder or os.path.relpath(build_of().output_folder)
    output = options.output or os.path.join(options.folder, "trace.json")
    edges = as_run(read_graph_file(os.path.join(options.folder, "graph.json"))["edges"])
    steps = _last_build(os.path.join(options.folder, ".ninja_log"))
    rules = {output: _stages(edge) for edge in edges for output in edge["outputs"]}
    with open(output, "w", encoding="utf-8") as stream:
        json.dump(trace(steps, rules), stream)
    print(summary_of(steps, edges, rules))
    print(f"{output} written: open it with https://ui.perfetto.dev")
    return 0


def _last_build(path: str) -> list[LoggedStep]:
    log = read_file(path, MAX_XCLBIN_BYTES, hint="configure and run `ninja` first").decode("utf-8")
    for steps in reversed(read_builds(log, path)):
        if any(output not in LOOKING for step in steps for output in step.outputs):
            return steps
    raise UserError("the log has no build", Location(path), hint="run `ninja` first")


def _stages(edge: Mapping[str, Any]) -> str:
    """The rule of an edge; of a batch those of its stages."""
    return " ".join(dict.fromkeys(stage["rule"] for stage in edge.get("stages", [edge])))


def trace(steps: Sequence[LoggedStep], rules: Mapping[str, str]) -> dict[str, Any]:
    """The trace in Chrome's JSON format, for Perfetto: a complete event (`ph` X) a step, times in us."""
    events = [
        {
            "name": f"{rules.get(step.outputs[0], 'configure')} {os.path.basename(step.outputs[0])}",
            "cat": rules.get(step.outputs[0], "configure"),
            "ph": "X",
            "ts": step.start_ms * 1000,
            "dur": step.duration_ms * 1000,
            "pid": 0,
            "tid": lane,
            "args": {"outputs": list(step.outputs)},
        }
        for step, lane in lanes(steps)
    ]
    return {"displayTimeUnit": "ms", "traceEvents": events}


def summary_of(
    steps: Sequence[LoggedStep], edges: Sequence[Mapping[str, Any]], rules: Mapping[str, str]
) -> str:
    """The summary: how long, how parallel, which chain, which steps took longest."""

    def name(step: LoggedStep) -> str:
        return f"{rules.get(step.outputs[0], 'configure')} {step.outputs[0]}"

    start, end = min(s.start_ms for s in steps), max(s.end_ms for s in steps)
    wall, work = max(1, end - start), sum(s.duration_ms for s in steps)
    chain = critical_path(steps, edges)
    chained = sum(s.duration_ms for s in chain)
    lines = [f"{len(steps)} steps in {_seconds(wall)}, {work / wall:.1f} at a time; {_seconds(work)} of work"]
    share = 100 * chained // wall
    lines.append(
        f"the longest chain takes {_seconds(chained)}, {share} % of that; more cores cannot shorten it:"
    )
    lines += [f"  {_seconds(step.duration_ms)}  {name(step)}" for step in chain]
    slowest = sorted(steps, key=lambda s: -s.duration_ms)[:SHOWN_STEPS]
    lines.append("the slowest steps:")
    lines += [f"  {_seconds(step.duration_ms)}  {name(step)}" for step in slowest]
    return "\n".join(lines)


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f} s"
