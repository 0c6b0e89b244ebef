"""The documentation: every page is in the site, links lead somewhere, the tutorial's commands work."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and MkDocs make them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", head.lower()).strip()) for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), f"{page.name}: {target}"


def test_every_page_is_in_the_site() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = re.findall(r": ([\w/-]+\.md)$", text.partition("\nnav:\n")[2], re.MULTILINE)
    assert sorted(named) == sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


@pytest.mark.skipif(importlib.util.find_spec("material") is None, reason="the extra `docs` is not installed")
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path / "site")],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    home = (tmp_path / "site/index.html").read_text(encoding="utf-8")
    assert "tutorial.html" in home
    assert "api/device.html" in home
    assert "read_manifest" in (tmp_path / "site/api/device.html").read_text(encoding="utf-8")
    assert not re.search(
        r'<(?:script|link)[^>]+(?:src|href)="https?://(?!github)', home.replace("canonical", "")
    )


def files_of(page: str) -> dict[str, str]:
    """The blocks that follow a file's name at the end of a line."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return dict(re.findall(r"`([\w/]+\.\w+)`:\n\n```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


def test_the_tutorial_works_as_it_stands(tmp_path: Path) -> None:
    """All commands in order, a fault where it says so; then from-python.md's program on the same build."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, words in (("npuninja", '-m npuninja "$@"'), ("python", '"$@"')):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words}\n', encoding="utf-8")
        (programs / name).chmod(0o755)
    path = f"{programs}:{Path(sys.executable).parent}:/usr/bin:/bin"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    text = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(sh|sh fails)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    said, folder = "", tmp_path
    for number, (kind, block) in enumerate(blocks):
        done = subprocess.run(
            ["bash", "-ec", block], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        said += done.stdout
        assert (done.returncode != 0) is (kind == "sh fails"), block + done.stdout + done.stderr
        if number == 0:
            folder = tmp_path / "multiply"
            for name, content in files_of("tutorial.md").items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(content, encoding="utf-8")
    assert set(files_of("tutorial.md")) == {"kernels/mm/mm.c", "mlir/mm.mlir", "host/mm.py"}
    assert said.count("C: all 4096 elements are right") == 3
    assert "2 right" in said
    assert "C: " in said
    assert (folder / "build/report/mm.trace.json").is_file()
    program = re.search(
        r"^```python\n(.*?)^```$", (DOCS / "from-python.md").read_text(encoding="utf-8"), re.M | re.S
    )
    assert program
    done = subprocess.run(
        [sys.executable, "-c", program[1]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "right, emulated\n"
