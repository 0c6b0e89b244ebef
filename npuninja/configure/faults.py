"""The designs that cannot be built: errors for Ninja's targets, and for a configure without a change."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from npuninja.files import write_if_changed
from npuninja.plan.designs import Faulty
from npuninja.plan.layout import Layout

FILE = "faults.json"


def write_faults(layout: Layout, faulty: Sequence[Faulty]) -> list[str]:
    """Writes them; returns the files."""
    path = os.path.join(layout.build_folder, FILE)
    write_if_changed(path, json.dumps([list(vars(f).values()) for f in faulty]))
    files = [path]
    for fault in faulty:
        file = os.path.join(layout.ninja_folder, layout.fault_file(fault.name))
        write_if_changed(file, fault.text + "\n")
        files.append(file)
    return files


def read_faults(layout: Layout) -> list[Faulty]:
    """Those of the last configure."""
    with open(os.path.join(layout.build_folder, FILE), encoding="utf-8") as stream:
        return [Faulty(*fields) for fields in json.load(stream)]


def sources_of(fault: Faulty) -> list[str]:
    """The files whose change may mend a design: its own, and what a Python source may import."""
    if not os.path.isfile(fault.source):
        return []
    folder = os.path.dirname(fault.source)
    beside = sorted(os.listdir(folder or ".")) if fault.source.endswith(".py") else []
    return [fault.source, *(os.path.join(folder, name) for name in beside if name.endswith(".py"))]
