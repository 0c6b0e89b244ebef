"""build.ninja.in: the rules that come with npuninja, and what a project adds to them."""

from __future__ import annotations

import os
import posixpath
import re

from npuninja.build_places import DESIGNS, SETTINGS
from npuninja.emit.template import Template
from npuninja.plan.designs import HOST, KERNELS
from npuninja.plan.graph import Graph
from npuninja.plan.layout import Layout
from npuninja.plan.words import tool_variables
from npuninja.settings.toml_file import read_text

TEMPLATE = "build.ninja.in"
SHIPPED = os.path.join(os.path.dirname(os.path.abspath(__file__)), TEMPLATE)
# A file with this rule has all of them; another one has statements of the project only.
_WHOLE = re.compile(r"^rule configure\s*$", re.MULTILINE)


def read_template(project_file: str, layout: Layout) -> Template:
    """The rules of a project, whose folder is the working folder.

    Raises:
        UserError: the file is there, or one that it includes, and cannot be read, or a line is not Ninja's
            language; located.
    """
    if not os.path.isfile(project_file):
        return Template(read_text(SHIPPED), SHIPPED, tool_variables())
    own = read_text(project_file)
    shipped = "" if _WHOLE.search(own) else read_text(SHIPPED)
    folder = layout.output_prefix or os.curdir
    loaded: dict[str, tuple[str, str] | None] = {}

    def load(path: str) -> tuple[str, str] | None:
        if path not in loaded:
            file = os.path.relpath(os.path.join(layout.ninja_folder, path))
            loaded[path] = (file, read_text(file)) if os.path.isfile(file) else None
        return loaded[path]

    return Template(own, project_file, tool_variables(), shipped, build_folder=folder, load=load)


def generated_sources(template: Template, graph: Graph, layout: Layout) -> tuple[str, ...]:
    """What statements of the project make for configure.py to find, before anything of the build is made.

    That is designs, kernels' sources and references, and toolchain.toml. Ninja makes them first, and then
    has configure.py look again.
    """
    folders = [layout.source(folder) for folder in (DESIGNS, KERNELS, HOST)]
    return tuple(
        path
        for path in template.made_of_sources(graph)
        if path == layout.source(SETTINGS) or path.startswith(tuple(f"{folder}/" for folder in folders))
    )


def generated_designs(template: Template, layout: Layout) -> list[str]:
    """The names of the designs that statements of the project make, whether they are there or not."""
    parts = ((*posixpath.split(path), output) for path, output in template.outputs.items())
    return [
        posixpath.splitext(name)[0]
        for folder, name, output in parts
        if folder == layout.source(DESIGNS) and name.endswith((".mlir", ".py")) and output.rule != "phony"
    ]
