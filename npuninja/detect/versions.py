"""Versions of MLIR-AIE and Peano: they say a day and a commit, and are compared by those.

    0.0.1.2025100604+5950a4d      a wheel of 6 October 2025, made from commit 5950a4d
    19.0.0.2025052701+31d2aa6e    the same for llvm-aie
    1.3.2.dev12+g9796296          a commit
    1.1.1, v1.1.1                 a tag

As numbers they mean nothing: every wheel of MLIR-AIE of 2025 is 0.0.1.
"""

from __future__ import annotations

import os
import re

# Days of commits and tags that carry no day themselves. Source: the history of Xilinx/mlir-aie; v1.1.1 by the
# day of its wheel, 1.4 by its documentation (July 2026, the first release with the declarative aiecc).
_DAYS = {
    "5950a4d": "2025-10-05",
    "fc54f91": "2025-10-08",
    "74b223d": "2025-10-24",
    "bdd7ec2": "2025-11-07",
    "a7df6e1": "2025-11-18",
    "6c9036e": "2025-12-17",
    "b4ed4ec": "2026-02-24",
    "dde51cb": "2026-03-05",
    "9c1e32d": "2026-03-13",
    "8bfa8ce": "2026-03-15",
    "0d9d245": "2026-04-16",
    "9796296": "2026-04-23",
    "3ca0193": "2026-08-14",
    "1.1.1": "2025-10-06",
    "1.4.": "2026-07-01",
}


def day_of(version: str) -> str:
    """The day of a version as `2025-10-06`, or "" when it says none and its commit or tag is not known."""
    match = re.search(r"(?:^|\.)(20\d\d)(\d\d)(\d\d)(?:\d\d)?(?:\+|$)", version)
    if match:
        return "-".join(match.groups())
    commit = commit_of(version)
    if commit:
        return next((day for key, day in _DAYS.items() if commit.startswith(key)), "")
    tag = version.removeprefix("v")
    return next(
        (day for key, day in _DAYS.items() if tag == key or (key.endswith(".") and tag.startswith(key))), ""
    )


def commit_of(version: str) -> str:
    """The commit of a version, as far as it is written there, or ""."""
    match = re.search(r"\+g?([0-9a-f]{7,40})(?:$|[^0-9a-f])", version) or re.fullmatch(
        r"([0-9a-f]{7,40})", version
    )
    return match[1] if match else ""


def package_version(file: str, package: str) -> str:
    """The version of the wheel that a file belongs to, from the metadata beside its folder; "" for none.

    Args:
        file: `…/site-packages/mlir_aie/bin/aie-opt`.
        package: the folder of the wheel, `mlir_aie` or `llvm-aie`.
    """
    folder = os.path.abspath(file)
    while os.path.basename(folder) != package:
        above = os.path.dirname(folder)
        if above == folder:
            return ""
        folder = above
    try:
        names = os.listdir(os.path.dirname(folder))
    except OSError:
        return ""
    wanted = package.replace("-", "_")
    # mlir_aie-0.0.1.2025100604+5950a4d.dist-info
    for name in sorted(names):
        stem, dash, version = name.removesuffix(".dist-info").partition("-")
        if dash and name.endswith(".dist-info") and stem.replace(".", "_") == wanted:
            return version
    return ""
