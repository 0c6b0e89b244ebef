"""A real browser without a window, for pages: what a script that is added to one finds in it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# The page is written out when so much of its own time has gone by, not at once when it is loaded.
_WAIT = "--virtual-time-budget=4000"
needs_browser = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")


def look(page: str, folder: Path, expression: str) -> Any:
    """Opens a page, and returns the value of a function's body in JavaScript, run when the page is loaded.

    Fails when anything of the page throws, or writes an error to the console.
    """
    probe = f"""<script>
    addEventListener("load", () => setTimeout(() => {{
      let found;
      try {{ found = (() => {{ {expression} }})(); }}
      catch (error) {{ found = {{faults: [String(error.stack)]}}; }}
      document.body.setAttribute("data-found", JSON.stringify(found));
    }}, 200));
    </script></body>"""
    watch = """<script>window.faults = []; addEventListener("error", e => faults.push(e.message));
    { const told = console.error; console.error = (...words) => { faults.push(words.join(" ")); told(...words); }; }
    </script>"""
    file = folder / "page.html"
    text = page.replace("</title>", "</title>" + watch, 1).replace("</body>", probe)
    file.write_text(text.replace("return {", "return {faults: window.faults, ", 1), encoding="utf-8")
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--window-size=1300,900", "--dump-dom", _WAIT)
    done = subprocess.run(
        [str(BROWSER), *options, f"--user-data-dir={folder / 'profile'}", file.as_uri()],
        capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "HOME": str(folder)},
    )  # fmt: skip
    seen = re.search(r'data-found="([^"]*)"', done.stdout)
    assert seen, (
        f"{done.returncode} {len(done.stdout)} {done.stdout[:300]} … {done.stdout[-300:]}\n"
        f"{done.stderr[-1500:]}"
    )
    found = json.loads(unescape(seen[1]))
    assert found.pop("faults") == []
    return found
