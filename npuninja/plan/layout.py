"""Where files are, as Ninja sees them: paths relative to the folder of build.ninja, wherever that is."""

from __future__ import annotations

import functools
import os

from npuninja.build_places import OUTPUT_FOLDER
from npuninja.records import record

# The graph as data, in the build folder.
GRAPH = "graph.json"
# What a package is made of: a file beside it.
PLAN = "package_plan.json"
# The words of commands that designs of one kind share, a file for each kind.
BATCHES = "batches"


@record(frozen=True)
class Layout:
    """The two folders of a build.

    Attributes:
        source_root: absolute; has `mlir/`, `kernels/`, `host/`.
        ninja_folder: absolute; has build.ninja, and commands run there.
        output_prefix: folder of all outputs below `ninja_folder`; "" when that is the build folder itself.
    """

    source_root: str
    ninja_folder: str
    output_prefix: str

    @property
    def build_folder(self) -> str:
        """The absolute folder of all outputs."""
        return (
            os.path.join(self.ninja_folder, self.output_prefix) if self.output_prefix else self.ninja_folder
        )

    def output(self, *components: str) -> str:
        """An output, as build.ninja names it."""
        return os.path.join(self.output_prefix, *components)

    def fault_file(self, name: str) -> str:
        """Where the error of a design that cannot be built is kept, as build.ninja names it."""
        return self.output("faults", f"{name}.txt")

    def source(self, path: str) -> str:
        """A file named relative to the source root, as build.ninja names it.

        Relative when the build folder lies in the source tree (a moved tree still fits), absolute otherwise.
        """
        absolute = os.path.normpath(os.path.join(self.source_root, path))
        root = os.path.join(self.source_root, "")
        if self._way_to_sources is None or not (absolute + os.sep).startswith(root):
            return absolute
        return os.path.normpath(os.path.join(self._way_to_sources, absolute[len(root) :]))

    @functools.cached_property
    def _way_to_sources(self) -> str | None:
        """The path from the folder of build.ninja to the sources; None when that does not lie among them."""
        if os.path.commonpath([self.source_root, self.ninja_folder]) != self.source_root:
            return None
        return os.path.relpath(self.source_root, self.ninja_folder)

    def from_build_folder(self, path: str) -> str:
        """A file in the build folder, named relative to the source root, as build.ninja names it."""
        return os.path.relpath(os.path.join(self.source_root, path), self.ninja_folder)

    @property
    def source_prefix(self) -> str:
        """What `source` puts in front of paths, with a final slash, or ""."""
        prefix = os.path.dirname(self.source("x"))
        return prefix + "/" if prefix else ""


def layout_of(source_root: str, build_folder: str | None) -> Layout:
    """The layout for `-B BUILD_FOLDER`; else build.ninja is on top of the sources, outputs in `build/`."""
    if build_folder is None:
        return Layout(source_root, source_root, OUTPUT_FOLDER)
    return Layout(source_root, os.path.abspath(build_folder), "")
