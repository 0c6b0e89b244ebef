"""Where the files of a package come from: sources and tools by hash, and the commands.

The form is that of SLSA: an in-toto statement (https://in-toto.io/Statement/v1) about the files, with a
provenance (https://slsa.dev/provenance/v1). It is not signed; a publisher of a package can sign it as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from npuninja import __version__
from npuninja.packaging.build_graph import RecordedStep
from npuninja.packaging.package import Package
from npuninja.records import NamedTuple

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
#: What the parameters mean is in docs/packaging.md.
BUILD_TYPE = "pkg:generic/npuninja#docs/packaging.md"


class Dependency(NamedTuple):
    """What decided what files are: a source file ("source") or a tool ("tool"), its version, its sha256."""

    name: str
    role: str
    version: str
    sha256: str

    def descriptor(self) -> dict[str, Any]:
        """As a resource descriptor of in-toto."""
        notes = {"role": self.role, **({"version": self.version} if self.version else {})}
        return {"name": self.name, "digest": {"sha256": self.sha256}, "annotations": notes}


def write_provenance(
    package: Package,
    designs: Iterable[str],
    dependencies: Iterable[Dependency],
    steps: Sequence[RecordedStep],
    hashes: Mapping[str, str],
) -> bytes:
    """The statement about the files in `hashes` (name -> sha256)."""
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": hashes[name]}} for name in sorted(hashes)],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "name": package.name,
                    "version": package.version,
                    "preset": package.preset,
                    "designs": sorted(designs),
                },
                "internalParameters": {
                    "commands": [{"outputs": list(step.outputs), "command": step.command} for step in steps]
                },
                "resolvedDependencies": [d.descriptor() for d in sorted(dependencies)],
            },
            "runDetails": {"builder": {"id": "pkg:generic/npuninja", "version": {"npuninja": __version__}}},
        },
    }
    return (json.dumps(statement, indent=1) + "\n").encode()


def read_subjects(data: bytes) -> dict[str, str]:
    """Name -> sha256 of the files that a statement is about.

    Raises ValueError, KeyError or TypeError when it is not such a statement.
    """
    statement = json.loads(data)
    if (statement["_type"], statement["predicateType"]) != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise ValueError("it is no statement of provenance")
    return {str(subject["name"]): str(subject["digest"]["sha256"]) for subject in statement["subject"]}
