"""How long a browser takes to open the report of a design with 32 cores.

    python bench/report.py [--json FILE] [--repeat N] [--cores N] [--page FILE]

The design is made (bench/lowering.py), built, run and reported as in a project, in a temporary folder, which
takes minutes. Then Chromium without a window opens the page N times. A figure is the time from the
navigation's begin to the first frame after the `load` event, by the browser's own clock, without the
browser's start. Nothing here runs in the tests.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from lowering import design_of
from machine import ROOT, command_line, describe, machine, record

TARGET_S = 2.0
PROBE = """<script>addEventListener("load", () => requestAnimationFrame(() => {
document.body.setAttribute("data-opened-ms", performance.now()); }));</script></body>"""


def build(folder: Path, cores: int) -> Path:
    """The report of a design that is made, built and run in a folder."""
    (folder / "mlir").mkdir()
    (folder / "mlir" / "wide.mlir").write_text(design_of(cores), encoding="utf-8")
    (folder / "toolchain.toml").write_text("", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for words in (
        [str(ROOT / "configure.py")],
        ["-m", "ninja", "--quiet"],
        ["-m", "npuninja", "report", "wide", "--time-limit", "300"],
    ):
        subprocess.run([sys.executable, *words], cwd=folder, env=environment, check=True)
    return folder / "build" / "report" / "wide.html"


def opened_s(page: Path, folder: Path, browser: str) -> float:
    """Opens a page once."""
    copy = folder / "page.html"
    copy.write_text(page.read_text(encoding="utf-8").replace("</body>", PROBE), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1300,900", "--dump-dom"]
    with tempfile.TemporaryDirectory(prefix="npuninja-profile-") as profile:
        done = subprocess.run(
            [browser, *options, f"--user-data-dir={profile}", copy.as_uri()], capture_output=True, text=True,
            check=True, env={**os.environ, "HOME": profile},
        )  # fmt: skip
    found = re.search(r'data-opened-ms="([\d.]+)"', done.stdout)
    if found is None:
        raise SystemExit("the page did not say when it was there")
    return float(found[1]) / 1000


def main() -> None:
    """Measures and prints."""
    parser = command_line(__doc__.split("\n")[0], repeat=5)
    parser.add_argument("--cores", type=int, default=32)
    parser.add_argument("--page", type=Path, metavar="FILE", help="this page, instead of building one")
    options = parser.parse_args()
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("there is no Chromium")
    facts = machine()
    with tempfile.TemporaryDirectory(prefix="npuninja bench ") as temporary:
        folder = Path(temporary)
        page = options.page or build(folder, options.cores)
        runs = [opened_s(page, folder, browser) for _ in range(options.repeat)]
        size = page.stat().st_size
    print(
        f"{page.name}, {size / 1e6:.1f} MB: {min(runs):.2f} s, least of {len(runs)} (most {max(runs):.2f}; "
        f"target {TARGET_S:g})"
    )
    print(describe(facts))
    record(options.json, facts, cores=options.cores, page_bytes=size, seconds=runs, target_s=TARGET_S)


if __name__ == "__main__":
    main()
