"""Built designs for AMD's NPUs. `python -m THIS_PACKAGE` lists and runs them; README.txt says more."""

from __future__ import annotations

import json
import os

FOLDER = os.path.dirname(os.path.abspath(__file__))


def designs() -> dict[str, str]:
    """Design -> the path of its manifest, beside which its XCLBIN and instruction stream lie."""
    with open(os.path.join(FOLDER, "package.json"), encoding="utf-8") as stream:
        entries = json.load(stream)["designs"]
    return {name: os.path.join(FOLDER, *entry["manifest"].split("/")) for name, entry in entries.items()}
