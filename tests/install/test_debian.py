"""Installing from Debian with pretended apt and dpkg: what they are asked, and what happens when they fail.

That the real ones do it, the fixture `xclbinutil` shows: it installs it where the machine has none.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from npuninja.cli import main as npuninja
from npuninja.errors import ToolError, UserError
from npuninja.install import debian
from npuninja.install.debian import DebianPackage, install_packages, mirror_of_this_system
from npuninja.install.folder import installed_program, tools_folder, write_launcher

MIRROR = "http://mirror.example/debian"

# A program that pretends: it notes its arguments and the private settings, and makes apt's files.
APT_GET = """#!/bin/sh
echo "apt-get $*" >> {log}
case "$1" in
update) cp "$APT_CONFIG" {log}.conf; cat "$(dirname "$APT_CONFIG")"/sources.d/* > {log}.source; {update} ;;
install) shift; shift; for name in "$@"; do echo "$name" > "$(dirname "$APT_CONFIG")/cache/archives/$name.deb"; done ;;
esac
"""
APT_CONFIG = """#!/bin/sh
printf 'Acquire::http::Proxy "http://proxy.example:3128";\\nAcquire::IndexTargets::deb::x "y";\\nAPT::Other "1";\\n'
"""
DPKG_DEB = """#!/bin/sh
case "$1" in
--extract) mkdir -p "$3/usr/bin" "$3/usr/lib/x86_64-linux-gnu"
  touch "$3/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"; cp "$2" "$3/usr/bin/$(basename "$2" .deb)" ;;
--field) printf 'Package: %s\\nVersion: 1:2.0-1\\n' "$(basename "$2" .deb)" ;;
esac
"""


class Apt:
    """Pretended programs on PATH, and the arguments they got."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.keyring = folder / "keys.gpg"
        self.keyring.write_bytes(b"keys")
        self.tools("true")
        monkeypatch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")

    def tools(self, update: str) -> None:
        (self.folder / "bin").mkdir(exist_ok=True)
        texts = {
            "apt-get": APT_GET.format(log=self.log, update=update),
            "apt-config": APT_CONFIG,
            "dpkg-deb": DPKG_DEB,
        }
        for name, text in texts.items():
            path = self.folder / "bin" / name
            path.write_text(text)
            path.chmod(0o755)

    def install(self, prefix: Path, *names: str, **options: object) -> list[DebianPackage]:
        given = {"finish": lambda root: None, "mirror": MIRROR, "keyring": str(self.keyring), **options}
        return install_packages(names, str(prefix), **given)  # type: ignore[arg-type]


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Apt:
    return Apt(tmp_path, monkeypatch)


def test_apt_works_on_a_state_of_its_own(apt: Apt, tmp_path: Path) -> None:
    said: list[str] = []
    packages = apt.install(tmp_path / "tools" / "it", "one", "two", say=said.append)
    assert [(p.name, p.version, len(p.sha256)) for p in packages] == [
        ("one", "1:2.0-1", 64),
        ("two", "1:2.0-1", 64),
    ]
    assert sorted(os.listdir(tmp_path / "tools" / "it" / "usr" / "bin")) == ["one", "two"]
    assert os.listdir(tmp_path / "tools") == ["it"], "nothing else is left behind"
    settings = Path(f"{apt.log}.conf").read_text()
    assert 'Acquire::http::Proxy "http://proxy.example:3128";' in settings
    assert "IndexTargets" not in settings
    assert "APT::Other" not in settings, "only what concerns the network comes from the system"
    work = next(line.split('"')[1] for line in settings.splitlines() if line.startswith('Dir "'))
    assert work.startswith(str(tmp_path / "tools"))
    for key in ("Dir::State::status", "Dir::State::lists", "Dir::Cache", "Dir::Etc::sourceparts"):
        assert f'{key} "{work}/' in settings
    assert "insecure" not in settings.lower()
    source = Path(f"{apt.log}.source").read_text()
    assert f"URIs: {MIRROR}\n" in source
    assert f"Signed-By: {apt.keyring}\n" in source
    assert "update" in said[0] or "lists" in said[0]
    assert "apt-get install --download-only one two" in apt.log.read_text()


def test_a_failed_update_says_why_and_keeps_what_was_there(apt: Apt, tmp_path: Path) -> None:
    prefix = tmp_path / "tools" / "it"
    prefix.mkdir(parents=True)
    (prefix / "old").write_text("old")
    apt.tools("echo 'E: The repository is not signed.'; exit 100")
    with pytest.raises(ToolError, match="cannot get the lists of Debian sid") as caught:
        apt.install(prefix, "one")
    assert "E: The repository is not signed." in caught.value.render()
    assert os.listdir(prefix) == ["old"]


def test_a_program_that_does_not_run_is_not_installed(apt: Apt, tmp_path: Path) -> None:
    def finish(root: str) -> None:
        raise ToolError("it does not run")

    with pytest.raises(ToolError, match="it does not run"):
        apt.install(tmp_path / "tools" / "it", "one", finish=finish)
    assert os.listdir(tmp_path / "tools") == []


def test_an_installation_is_replaced(apt: Apt, tmp_path: Path) -> None:
    apt.install(tmp_path / "tools" / "it", "one")
    apt.install(tmp_path / "tools" / "it", "two")
    assert os.listdir(tmp_path / "tools" / "it" / "usr" / "bin") == ["two"]


@pytest.mark.parametrize("name", ["apt-get", "apt-config", "dpkg-deb"])
def test_without_apt_it_says_so(apt: Apt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (apt.folder / "bin" / name).unlink()
    monkeypatch.setenv("PATH", str(apt.folder / "bin"))
    with pytest.raises(ToolError, match=f"{name} is not there"):
        apt.install(tmp_path / "tools" / "it", "one")


def test_without_the_archives_keys_nothing_is_fetched(apt: Apt, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="no package can be verified") as caught:
        apt.install(tmp_path / "tools" / "it", "one", keyring=str(tmp_path / "none.gpg"))
    assert caught.value.hint == "install the package debian-archive-keyring"
    assert not apt.log.exists()


@pytest.mark.parametrize(
    ("name", "text", "url"),
    [
        ("sources.list", "deb http://a.example/debian/ bookworm main\n", "http://a.example/debian"),
        (
            "sources.list",
            "# deb http://x/debian\ndeb [arch=amd64 signed-by=/k] http://b/debian sid main",
            "http://b/debian",
        ),
        (
            "sources.list.d/debian.sources",
            "Types: deb\nURIs: http://c/debian\nSuites: sid\n",
            "http://c/debian",
        ),
    ],
)
def test_the_mirror_is_the_systems_own(tmp_path: Path, name: str, text: str, url: str) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "other.list").write_bytes(
        b"deb http://ubuntu.example/ubuntu noble main\n\xff"
    )
    (tmp_path / name).write_text(text)
    assert mirror_of_this_system(str(tmp_path)) == url


def test_another_distribution_needs_a_mirror(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb http://ubuntu.example/ubuntu noble main\n")
    with pytest.raises(UserError, match="no Debian mirror") as caught:
        mirror_of_this_system(str(tmp_path))
    assert "--mirror URL" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"NPUNINJA_TOOLS": "/t", "HOME": "/h"}, "/t"),
        ({"XDG_DATA_HOME": "/d", "HOME": "/h"}, "/d/npuninja/tools"),
        ({"HOME": "/h"}, "/h/.local/share/npuninja/tools"),
    ],
)
def test_where_tools_are(environment: dict[str, str], folder: str) -> None:
    assert tools_folder(environment) == folder
    assert installed_program(environment, "it", "x") == f"{folder}/it/bin/x"


def test_a_launcher_finds_its_folder(tmp_path: Path) -> None:
    libraries = tmp_path / "a b" / "usr" / "lib" / "x86_64-linux-gnu"
    libraries.mkdir(parents=True)
    loader = libraries / "ld-linux-x86-64.so.2"
    loader.write_text('#!/bin/sh\necho "$@"\n')
    loader.chmod(0o755)
    (tmp_path / "a b" / "usr" / "bin").mkdir()
    (tmp_path / "a b" / "usr" / "bin" / "it").touch()
    launcher = write_launcher(str(tmp_path / "a b"), "usr/bin/it")
    link = tmp_path / "link"
    link.symlink_to(launcher)
    printed = subprocess.run(
        [str(link), "--version", "x y"], capture_output=True, text=True, check=True
    ).stdout
    assert "--argv0 it" in printed
    assert printed.strip().endswith("usr/bin/it --version x y")
    with pytest.raises(ToolError, match="have no usr/bin/other"):
        write_launcher(str(tmp_path / "a b"), "usr/bin/other")


def test_the_verb(apt: Apt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    assert npuninja(["tools", "install", "nothing"]) == 2
    assert "xclbinutil" in capsys.readouterr().err
    assert npuninja(["tools"]) == 2
    capsys.readouterr()
    monkeypatch.setenv("NPUNINJA_TOOLS", str(tmp_path / "tools"))
    monkeypatch.setattr(debian, "KEYRING", str(apt.keyring))
    monkeypatch.setitem(install_packages.__kwdefaults__, "keyring", str(apt.keyring))
    # The pretended package has no xclbinutil, so that nothing is installed.
    assert npuninja(["tools", "install", "xclbinutil", "--mirror", MIRROR]) == 3
    assert "have no usr/bin/xclbinutil" in capsys.readouterr().err
    assert os.listdir(tmp_path / "tools") == []


def test_the_real_one_has_its_packages_recorded(xclbinutil: str) -> None:
    record = Path(xclbinutil).parent.parent / "npuninja-packages.json"
    if not record.exists():
        pytest.skip("xclbinutil is this machine's own")
    content = json.loads(record.read_text())
    assert content["suite"] == "sid"
    versions = {package["name"]: package["version"] for package in content["packages"]}
    assert "libxrt-utils" in versions
    assert all(len(package["sha256"]) == 64 for package in content["packages"])
