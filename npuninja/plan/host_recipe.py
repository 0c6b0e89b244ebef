"""The edges of host programs: compiled, linked, and run on the designs they name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from npuninja.arch.devices import DEVICES
from npuninja.arch.families import DEFAULT
from npuninja.errors import UserError
from npuninja.plan.context import Context
from npuninja.plan.edges import FactValue, edge_of, provider_of
from npuninja.plan.graph import Edge, Graph
from npuninja.plan.host_program import NOTEBOOK, PLACEHOLDERS, HostProgram, filled
from npuninja.plan.steps import DesignSteps
from npuninja.plan.words import each
from npuninja.python_designs.script import package_root
from npuninja.stages import _host_flags as host_flags
from npuninja.stages.table import stage

#: Headers for what older C++ libraries lack.
HEADERS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "host_headers")


def plan_hosts(
    context: Context, graph: Graph, programs: Sequence[HostProgram], built: Mapping[str, DesignSteps]
) -> None:
    """Adds `run-host-NAME` for every program, and `run-hosts` for all.

    Raises:
        UserError: a program names a design that there is not, or its arguments mean nothing; located.
    """
    for program in programs:
        _HostProgramSteps(context, graph, program, built).plan()
    if programs:
        names = tuple(f"run-host-{program.name}" for program in programs)
        graph.add(Edge("phony", ("run-hosts",), inputs=names, owner="every host program"))


class _HostProgramSteps:
    def __init__(
        self, context: Context, graph: Graph, program: HostProgram, built: Mapping[str, DesignSteps]
    ) -> None:
        self._context, self._graph, self._program, self._built = context, graph, program, built
        self._owner = f"host program {program.name}"

    def plan(self) -> None:
        """Its objects, the program, and the target that runs it."""
        program, target = self._program, f"run-host-{self._program.name}"
        broken = [name for name in program.designs if name not in self._built and self._graph.makes(name)]
        if broken:  # the design's own target says why it cannot be built
            self._graph.add(Edge("phony", (target,), inputs=tuple(broken), owner=self._owner))
            return
        if program.refused:
            options = [*program.sources[:1], "--refused", program.refused]
            self._graph.add(Edge("run_host", (target,), options=tuple(options), owner=self._owner))
            return
        words, files = filled(program, self._file)
        count = len(program.arguments)
        path = self._context.layout.source(program.sources[0]) if program.is_script else self._program_file()
        options = [path, *self._options(path, words[count:]), "--", *words[:count]]
        # What the design's files are looked at for, whether or not the arguments name them.
        needs = {name: None for design in program.designs for name in self._built[design].wanted}
        self._graph.add(
            Edge(
                "run_host",
                (target,),
                implicit=tuple(dict.fromkeys((path, *files, *needs))),
                options=tuple(options),
                owner=self._owner,
            )
        )

    def _options(self, path: str, files: Sequence[str]) -> list[str]:
        """The options of stage run_host for a program at `path` that names `files` itself."""
        program, layout = self._program, self._context.layout
        xrt = self._context.toolchain.found("xrt")
        root = package_root(os.path.abspath(path), program.run_as) if program.run_as else ""
        links = layout.output("host", program.name, "folder") if program.files or program.folder else ""
        script = layout.output("host", program.name, f"{program.name}.py") if path.endswith(NOTEBOOK) else ""
        once = {
            "--device": self._device(),
            "--script": script,
            "--module": program.module,
            "--as": program.run_as,
            "--root": root,
            "--runner": xrt.lying("runner") if xrt and not program.is_script else "",
            "--folder": layout.source(program.folder) if program.folder else "",
            "--links": links,
        }
        return [
            *(word for option, value in once.items() if value for word in (option, value)),
            *each("--file", files),
            *each("--environment", program.environment),
            *each("--output-has", program.output_has),
            *("--time-limit", str(program.time_limit_s)),
        ]

    def _file(self, design: str, name: str, sequence: str = "") -> str:
        if design not in self._built:
            raise UserError(
                f"host program {self._program.name} names the design {design!r}, which there is not",
                self._program.location,
                hint=f"designs: {', '.join(self._built) or 'none'}",
            )
        found = self._built[design].files_of(name, sequence)
        if len(found) == 1:
            return found[0]
        runs = self._built[design].run_names
        name = next(word for word, file in PLACEHOLDERS.items() if file == name)
        said = f"{{{name}:{sequence}}}" if sequence else f"{{{name}}}"
        raise UserError(
            f"host program {self._program.name}: "
            f"the design {design} has {'several' if found else 'no'} files for {said}",
            self._program.location,
            hint=f"say the sequence, as in {{{name}:{runs[0]}}}; it has {', '.join(runs)}",
        )

    def _device(self) -> str:
        for name in self._program.designs:
            if name not in self._built:
                self._file(name, "xclbin")
            return DEVICES[self._built[name].device].family.name
        return self._program.device or DEFAULT

    def _program_file(self) -> str:
        """The edges that make the program; returns its path."""
        context, program = self._context, self._program
        folder = context.layout.output("host", program.name)
        compiler, xrt = context.toolchain.found("cxx"), context.toolchain.found("xrt")
        missing = [
            f"{absent.tool} is not usable: {absent.explain()}; {absent.remedy}"
            for absent in map(context.toolchain.absent, ("cxx", "xrt"))
            if absent
        ]
        known: dict[str, FactValue] = {
            "host_compiler": compiler.path if compiler else "",
            "missing": "; ".join(missing),
            "language": program.language,
            "defines": program.defines,
            "host_include": tuple(context.layout.source(path) for path in program.include),
            "flags": program.flags,
            "libraries": tuple(
                context.layout.source(lib) if "/" in lib else lib for lib in program.libraries
            ),
            "xrt_include": xrt.lying("include") if xrt else "",
            "xrt_library": xrt.path if xrt else "",
            "headers": HEADERS,
        }
        objects = []
        for number, source in enumerate(program.sources):
            stem = os.path.splitext(os.path.basename(source))[0]
            path = context.layout.source(source)
            target = f"{folder}/{number}_{stem}.o"
            row = stage("host_cc")
            self._graph.add(
                edge_of(
                    row, provider_of(row, context), {**known, "host_source": path}, {"host_object": target},
                    self._owner, self._compile_command(known, path, target),
                )
            )  # fmt: skip
            objects.append(target)
        row, target = stage("host_link"), f"{folder}/{program.name}"
        made = {"host_program": target}
        self._graph.add(
            edge_of(
                row, provider_of(row, context), {**known, "host_objects": tuple(objects)}, made, self._owner
            )
        )
        return target

    def _compile_command(self, known: Mapping[str, FactValue], source: str, target: str) -> tuple[str, ...]:
        """For clangd: what the stage host_cc runs."""
        compiler = str(known["host_compiler"]) or "c++"
        words = host_flags.compile_words(
            source, str(known["language"]), str(known["headers"]), str(known["xrt_include"]),
            defines=known["defines"], include=known["host_include"], flags=known["flags"],
        )  # fmt: skip
        return (compiler, *words, "-c", source, "-o", target)
