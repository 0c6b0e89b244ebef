"""`trexe` of BuildBox: puts files and a command to a service of the Remote Execution API, brings the results.

What it does by itself and a build cannot use, seen with version 1.4.30: exit code 1 stands for the command's
and for its own failure (its record of the run tells which); an output that was not made is no error (the
caller looks); its own log is mixed with what the command printed (which is asked for in files).
"""

from __future__ import annotations

import json
import os
import subprocess

from npuninja import TYPE_CHECKING
from npuninja.errors import ToolError, in_words
from npuninja.records import NamedTuple
from npuninja.remote.action import Action

if TYPE_CHECKING:
    from typing import Any

# A command may wait for a free worker too. Ninja has few on the way at a time, so that queue is short.
TIME_LIMIT_S = 300.0
# The service did not do it, and may another time (codes of gRPC): a worker or its runner died (13 INTERNAL,
# 10 ABORTED), the service starts or has trouble (14 UNAVAILABLE) or too much to do (8 RESOURCE_EXHAUSTED).
PASSING_ERRORS = (8, 10, 13, 14)
ATTEMPTS = 3
# Of trexe for one call, with growing delays: 3 s in all until an address where nothing listens is an error.
_RETRIES, _RETRY_DELAY_MS = 3, 300


class Result(NamedTuple):
    """The result of an action that ran, or that the cache had."""

    exit_code: int
    printed: str
    cached: bool
    worker: str


def run_action(trexe: str, address: str, action: Action, tree: str, outputs: str, records: str) -> Result:
    """Has an action done.

    Args:
        trexe: the program.
        address: of the service.
        action: what is to be done.
        tree: a folder with the inputs, as the action has them.
        outputs: a folder to put the outputs in.
        records: a folder for what trexe writes apart from them.

    Raises:
        ToolError: the service is not there, refuses the action, or has no result in time.
    """
    record = os.path.join(records, "record.json")
    printed = [os.path.join(records, name) for name in ("stdout", "stderr")]
    command = [trexe, f"--remote={address}", f"--retry-limit={_RETRIES}", f"--retry-delay={_RETRY_DELAY_MS}"]
    command += [
        f"--input-path={tree}:.",
        f"--d={outputs}",
        *(f"--output-path={path}" for path in action.outputs),
    ]
    command += [f"--working-dir={action.folder}"] if action.folder else []
    command += [f"--platform-properties={','.join(action.requirements)}", f"--result-metadata-file={record}"]
    command += [f"--stdout-file={printed[0]}", f"--stderr-file={printed[1]}", "--", *action.command]
    said = ""
    for _ in range(ATTEMPTS):
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, errors="replace", timeout=TIME_LIMIT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise ToolError(
                f"there is no result from {address} after {TIME_LIMIT_S:g} s",
                notes=((f"a worker must have: {', '.join(action.requirements)}", None),),
                hint="is a worker with this toolchain running? `npuninja farm up` starts some with that of "
                "this machine",
            ) from error
        except OSError as error:
            raise ToolError(
                f"cannot start {trexe}: {in_words(error)}",
                hint="run configure.py again",
            ) from error
        content = _read_record(record)
        if "actionResultMetadata" in content:
            about = content["actionResultMetadata"]
            worker = content.get("executionMetadata", {}).get("worker", "")
            return Result(
                int(about["exitCode"]), "".join(map(_read, printed)), bool(about["cachedResult"]), worker
            )
        said = str(content.get("error", {}).get("message", "")) or done.stdout.strip()
        if content.get("error", {}).get("code") not in PASSING_ERRORS:
            break
    raise ToolError(
        f"the build service at {address} did not run the command",
        notes=((f"trexe says:\n{said}", None),),
        hint="is it running? `npuninja farm up` starts one; "
        "configure.py without --remote builds on this machine",
    )


def _read_record(path: str) -> dict[str, Any]:
    """What trexe wrote about its run, taken away for the next attempt; empty when it did not get that far."""
    try:
        with open(path, encoding="utf-8") as stream:
            content: Any = json.load(stream)
        os.unlink(path)
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""
