"""Stage verdicts: what `ninja test` says at its end: a table, and the same as JUnit XML."""

from __future__ import annotations

import json
import os
import re
import sys
from xml.sax.saxutils import escape, quoteattr

from npuninja import TYPE_CHECKING
from npuninja.errors import WrongResult
from npuninja.stages._run import Outputs, read_text, stage_arguments

if TYPE_CHECKING:
    from typing import Any

GOOD = "right"
_NOT_IN_XML = re.compile("[^\\t\\n\\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def run(arguments: list[str]) -> None:
    """`--of NAME=RESULT… [--faulty NAME=ERROR]… --junit FILE`: exit code 1 unless all are right."""
    options = stage_arguments("verdicts", arguments)
    rows: list[tuple[str, dict[str, Any]]] = []
    for word in options.all("--of"):
        name, _, path = word.partition("=")
        rows.append((name, json.loads(read_text(path))))
    for word in options.all("--faulty"):
        name, _, path = word.partition("=")
        text = read_text(path)
        row = {"verdict": "cannot be built", "seconds": 0.0, "message": text.splitlines()[0], "text": text}
        rows.append((name, row))
    junit = options.one("--junit")
    with Outputs(junit) as outputs:
        outputs.write(junit, junit_xml(rows))
    sys.stdout.write(table(rows, junit))
    sys.stdout.flush()
    bad = [name for name, row in rows if row["verdict"] != GOOD]
    if bad:
        print(f"error: not right: {', '.join(bad)}", file=sys.stderr)
        raise SystemExit(WrongResult.exit_code)


def table(rows: list[tuple[str, dict[str, Any]]], junit: str) -> str:
    """The table for people: those that are right first, then the others with their reasons."""
    ordered = sorted(rows, key=lambda row: row[1]["verdict"] != GOOD)
    width = max([len("design"), *(len(name) for name, _ in rows)])
    verdicts = max([len("verdict"), *(len(row["verdict"]) for _, row in rows)])
    lines = [f"{'design':{width}}  {'verdict':{verdicts}}  time"]
    for name, row in ordered:
        lines.append(f"{name:{width}}  {row['verdict']:{verdicts}}  {row['seconds']:.2f} s")
        if row["verdict"] != GOOD and row["message"]:
            lines.append(f"  {row['message']}")
    counts = {
        verdict: sum(row["verdict"] == verdict for _, row in rows)
        for _, row in ordered
        for verdict in [row["verdict"]]
    }
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) or "no design"
    return "\n".join([*lines, f"{said}; {junit}"]) + "\n"


def junit_xml(rows: list[tuple[str, dict[str, Any]]]) -> str:
    """The verdicts as JUnit's XML."""
    failures = sum(row["verdict"] in ("wrong", "not verified") for _, row in rows)
    errors = sum(row["verdict"] in ("failed", "cannot be built") for _, row in rows)
    total = sum(row["seconds"] for _, row in rows)
    head = f'name="npuninja" tests="{len(rows)}" failures="{failures}" errors="{errors}" time="{total:.3f}"'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", f"<testsuite {head}>"]
    for name, row in rows:
        suite = os.path.basename(os.getcwd())
        lines.append(
            f'<testcase classname={quoteattr(suite)} name={quoteattr(name)} time="{row["seconds"]:.3f}">'
        )
        text = escape(_NOT_IN_XML.sub("?", row["text"]))
        if row["verdict"] != GOOD:
            kind = "failure" if row["verdict"] in ("wrong", "not verified") else "error"
            message = quoteattr(_NOT_IN_XML.sub("?", row["message"] or row["verdict"]))
            lines.append(f"<{kind} type={quoteattr(row['verdict'])} message={message}>{text}</{kind}>")
        else:
            lines.append(f"<system-out>{text}</system-out>")
        lines.append("</testcase>")
    return "\n".join([*lines, "</testsuite>", "</testsuites>"]) + "\n"
