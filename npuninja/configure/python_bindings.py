"""Which bindings print a project's designs in Python: MLIR-AIE's own, proved, or npuninja's."""

from __future__ import annotations

import os
from collections.abc import Mapping

from npuninja import TYPE_CHECKING
from npuninja.configure.settings import Settings
from npuninja.detect.cache import ProbeCache
from npuninja.detect.machine import surroundings_of
from npuninja.detect.mlir_aie_python import MLIR_AIE_PYTHON, folder_of, python_of
from npuninja.detect.probe import probe
from npuninja.detect.tool import FoundTool
from npuninja.errors import ToolError
from npuninja.stages.table import stage

if TYPE_CHECKING:
    from npuninja.python_designs.script import Bindings


def bindings_of(
    word: str, settings: Settings, environment: Mapping[str, str], folder: str
) -> Bindings | None:
    """MLIR-AIE's bindings, where they print the designs; None where npuninja's do.

    Designs are printed before anything else is known of the machine, so this tool is looked for first. The
    choice is that of the stage `python` in the table.

    Args:
        word: what `--provider python=` says.
        settings: toolchain.toml: where the bindings are, and versions that are not wanted.
        environment: where else they may be.
        folder: remembers the proof.

    Raises:
        ToolError: they were asked for and are not usable; says what was examined.
    """
    real, _ = stage("python").providers
    asked = word in ("real", real.name)
    if word not in ("auto", "real", real.name):
        return None
    cache = ProbeCache(os.path.join(folder, "python_bindings.json"))
    surroundings = surroundings_of(environment, settings.pins, settings.unused)
    outcome = probe((MLIR_AIE_PYTHON,), surroundings, cache, settings.denied)[MLIR_AIE_PYTHON.name]
    cache.save()
    if not isinstance(outcome, FoundTool):
        if not asked:
            return None
        raise ToolError(
            f"--provider python={word}: {outcome.tool} is not usable",
            notes=((f"{outcome.tool}: {outcome.explain()}", None),),
            hint=outcome.remedy,
        )
    from npuninja.python_designs.script import Bindings

    return Bindings(
        python_of(outcome.path, surroundings.python), folder_of(outcome.path), outcome.identity, asked
    )
