"""The worker's side of an action, run in its tree: `npuninja-stage --require WHAT… -- STAGE ARGUMENT…`.

Checks that this worker has what the action requires (a service that knows no properties of workers asks the
first free one), puts the worker's places in the place of names, and runs the stage. In the depfile, names
stand for these places again.
"""

from __future__ import annotations

import json
import os
import sys

if __name__ == "__main__":
    sys.path[0] = os.path.dirname(
        os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    )  # as in npuninja/stages/__main__.py

from npuninja.depfile import ROOT, escape
from npuninja.remote.settings import WRONG_WORKER
from npuninja.stages import __main__ as stages


def main(arguments: list[str]) -> int:
    """Runs an action.

    Args:
        arguments: the file that `write_worker` wrote, then the command of the action.
    """
    with open(arguments[0], encoding="utf-8") as stream:
        worker = json.load(stream)
    end = arguments.index("--")
    for what in arguments[2:end:2]:
        if what not in worker["has"]:
            print(f"this worker does not have {what}; it has {', '.join(worker['has'])}", file=sys.stderr)
            return WRONG_WORKER
        for path, stamp in worker.get("stamps", {}).get(what, {}).items():
            status = os.stat(path) if os.path.exists(path) else None
            if status is None or [status.st_size, status.st_ctime_ns] != stamp:
                print(f"{path} is not what this worker began with; start the farm again", file=sys.stderr)
                return WRONG_WORKER
    words = arguments[end + 1 :]
    if not words:
        return 0  # asked only whether there is a worker
    for name, place in worker["places"].items():
        words = [word.replace(f"@{name}@", place) for word in words]
    code = stages.main(words)
    if code == 0 and "--depfile" in words:
        _name_places(words[words.index("--depfile") + 1], {**worker["places"], "npuninja": ROOT})
    return code


def _name_places(depfile: str, paths: dict[str, str]) -> None:
    with open(depfile, encoding="utf-8", errors="surrogateescape") as stream:
        text = stream.read()
    for name, place in paths.items():
        text = text.replace(f"  {escape(place + os.sep)}", f"  @{name}@/")
    with open(depfile, "w", encoding="utf-8", errors="surrogateescape") as stream:
        stream.write(text)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
