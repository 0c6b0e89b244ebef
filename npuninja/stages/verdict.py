"""Stage verdict: runs and verifies one design for `ninja test`, and writes the result.

It never fails because of the design: stage `verdicts` says the whole at the end.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time

from npuninja.errors import WrongResult
from npuninja.stages.declaration import FILES


def run(arguments: list[str]) -> None:
    """`[option of npuninja run]… MANIFEST`; the result goes into `verdict.json` beside the manifest."""
    from npuninja.device.runner import main

    out, err = io.StringIO(), io.StringIO()
    started = time.monotonic()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*arguments, "--brief", "--require-reference"])
    seconds = time.monotonic() - started
    text = out.getvalue() + err.getvalue()
    content = {
        "verdict": _verdict(code, err.getvalue(), text),
        "exit_code": code,
        "seconds": round(seconds, 3),
        "message": _message(err.getvalue()),
        "text": text,
    }
    with open(
        os.path.join(os.path.dirname(arguments[-1]), FILES["verdict"]), "w", encoding="utf-8"
    ) as stream:
        json.dump(content, stream)
    if content["verdict"] != "right":
        sys.stdout.write(text)


def _verdict(code: int, errors: str, text: str) -> str:
    if code == 0:
        return "not verified" if "not verified:" in text else "right"
    if code == WrongResult.exit_code:
        return "wrong"
    return "not verified" if "is not verified" in errors else "failed"


def _message(errors: str) -> str:
    """The first line that says what is wrong."""
    lines = errors.splitlines()
    return next((line for line in lines if "error:" in line), lines[0] if lines else "")
