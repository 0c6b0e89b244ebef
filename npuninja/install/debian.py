"""Debian packages into a private folder: signed, verified, without root, not touching the system's apt.

apt works on a state of its own here: an empty list of installed packages, so that it resolves a package with
everything it needs down to the C library, one source, and the archive's keyring. It verifies the archive's
signature and so each package's hash. Packages are unpacked, not installed; their scripts never run.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from npuninja.errors import ToolError, UserError
from npuninja.install.folder import run
from npuninja.install.installed_files import WORK_PREFIX

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SUITE = "sid"  # the only suite whose XRT has xclbinutil and knows NPUs (Debian 12, 13: a wrapper without it)
_CONNECT_TIMEOUT_S = 20

# What apt is given beyond the system's own settings of `Acquire` (proxies, checks). The system's other
# settings are left out: hooks among them may change the system.
_APT_CONF = """\
Dir "{folder}";
Dir::Etc "{folder}/etc";
Dir::Etc::parts "";
Dir::Etc::main "";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "{folder}/sources.d";
Dir::Etc::preferencesparts "{folder}/etc";
Dir::Etc::trustedparts "{folder}/etc";
Dir::State "{folder}/state";
Dir::State::lists "{folder}/lists";
Dir::State::status "{folder}/state/status";
Dir::Cache "{folder}/cache";
Dir::Log "{folder}/log";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "{timeout}";
Acquire::https::Timeout "{timeout}";
APT::Install-Recommends "false";
APT::Get::Assume-Yes "true";
Binary::apt::APT::Keep-Downloaded-Packages "true";
DPkg::Pre-Install-Pkgs "";
"""


@dataclass(frozen=True)
class DebianPackage:
    """A package that was unpacked. `sha256` is of the file that apt verified."""

    name: str
    version: str
    sha256: str


def install_packages(
    names: Sequence[str],
    prefix: str,
    *,
    finish: Callable[[str], None],
    record: Callable[[str, list[DebianPackage]], None] = lambda root, packages: None,
    mirror: str | None = None,
    keyring: str = KEYRING,
    say: Callable[[str], None] = lambda line: None,
) -> list[DebianPackage]:
    """Unpacks packages of `SUITE` with all they need, so that `prefix` looks like a root folder.

    Args:
        names: of the packages.
        prefix: the folder to make. One that is there is replaced, at the very end.
        finish: called with the unpacked folder before it becomes `prefix`; writes launchers and proves them.
            When it raises, `prefix` stays as it was.
        record: called with that folder and the packages, at the end; writes down what there is.
        mirror: URL of a Debian mirror; by default the one that the system's own apt uses.
        keyring: the archive's public keys.
        say: called with what happens, a line each.

    Raises:
        ToolError: apt or dpkg is missing, the network or a signature fails, or a package does not exist.
        UserError: no mirror is known.
    """
    programs = _programs(keyring)
    prefix = os.path.abspath(prefix)
    source = mirror or mirror_of_this_system()
    os.makedirs(os.path.dirname(prefix), exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=WORK_PREFIX, dir=os.path.dirname(prefix)) as work:
        files = _download(programs, names, os.path.join(work, "apt"), source, keyring, say)
        root = os.path.join(work, "root")
        os.mkdir(root, 0o755)
        packages = []
        for path in files:
            run([programs["dpkg-deb"], "--extract", path, root], f"cannot unpack {os.path.basename(path)}")
            packages.append(_identify(programs["dpkg-deb"], path))
        finish(root)
        record(root, packages)
        if os.path.isdir(prefix):
            os.rename(prefix, os.path.join(work, "old"))
        os.rename(root, prefix)
    return packages


def _programs(keyring: str) -> dict[str, str]:
    found = {}
    for name, package in (("apt-get", "apt"), ("apt-config", "apt"), ("dpkg-deb", "dpkg")):
        path = shutil.which(name)
        if path is None:
            raise ToolError(
                f"{name} is not there, and Debian's packages are fetched and verified with it",
                hint=f"install {package} (other distributions have it as a package too), "
                "or install XRT the usual way",
            )
        found[name] = path
    if not os.path.isfile(keyring):
        raise ToolError(
            f"there is no {keyring}, and without the archive's keys no package can be verified",
            hint="install the package debian-archive-keyring",
        )
    return found


def mirror_of_this_system(folder: str = "/etc/apt") -> str:
    """The URL of the Debian mirror in apt's own sources.

    Args:
        folder: apt's settings.

    Raises:
        UserError: there is none (another distribution, or no apt).
    """
    texts = []
    for path in [
        os.path.join(folder, "sources.list"),
        *sorted(glob.glob(os.path.join(folder, "sources.list.d", "*"))),
    ]:
        try:
            with open(path, encoding="utf-8") as stream:
                texts.append(stream.read())
        except (OSError, UnicodeDecodeError):
            continue
    for text in texts:
        # deb822: URIs: http://mirror/debian   one-line: deb [signed-by=…] http://mirror/debian bookworm main
        for match in re.finditer(r"^(?:URIs:|deb(?:\s+\[[^\]]*\])?)\s+(\S+)", text, re.MULTILINE):
            url = match[1].rstrip("/")
            if url.endswith("/debian"):
                return url
    raise UserError(
        f"there is no Debian mirror in the sources of {folder}",
        hint="name one with --mirror URL; mirrors are listed at https://www.debian.org/mirror/list",
    )


def _download(
    programs: dict[str, str],
    names: Sequence[str],
    folder: str,
    mirror: str,
    keyring: str,
    say: Callable[[str], None],
) -> list[str]:
    """The package files, verified by apt."""
    for name in ("etc", "state", "sources.d", "lists/partial", "cache/archives/partial", "log"):
        os.makedirs(os.path.join(folder, name))
    for path, text in (
        ("state/status", ""),
        ("sources.d/npuninja.sources", _source(mirror, keyring)),
        ("apt.conf", _acquire_settings(programs["apt-config"]) + _own_settings(folder)),
    ):
        with open(os.path.join(folder, path), "w", encoding="utf-8") as stream:
            stream.write(text)
    environment = {"APT_CONFIG": os.path.join(folder, "apt.conf"), "DEBIAN_FRONTEND": "noninteractive"}
    say(f"reading the lists of Debian {SUITE} from {mirror}")
    # Without this option a list that cannot be fetched or verified is only a warning.
    update = [programs["apt-get"], "update", "-o", "APT::Update::Error-Mode=any"]
    run(update, f"cannot get the lists of Debian {SUITE} from {mirror}", environment)
    say(f"fetching {', '.join(names)} and what they need")
    fetch = [programs["apt-get"], "install", "--download-only", *names]
    run(fetch, f"cannot fetch {', '.join(names)}", environment)
    return sorted(glob.glob(os.path.join(folder, "cache", "archives", "*.deb")))


def _source(mirror: str, keyring: str) -> str:
    return f"Types: deb\nURIs: {mirror}\nSuites: {SUITE}\nComponents: main\nSigned-By: {keyring}\n"


def _acquire_settings(config: str) -> str:
    """How the system's apt reaches the network: proxies, and whether it accepts a mirror that is behind."""
    dump = run([config, "dump", "--format", '%f "%v";%n', "Acquire"], "cannot read apt's settings")
    lines = [
        line for line in dump.splitlines() if line.startswith("Acquire::") and "::IndexTargets" not in line
    ]
    return "\n".join(lines) + "\n"


def _own_settings(folder: str) -> str:
    text = _APT_CONF.format(folder=folder, timeout=_CONNECT_TIMEOUT_S)
    # As root, apt downloads as another user, who may not write into the private folder.
    return text + ('APT::Sandbox::User "root";\n' if os.geteuid() == 0 else "")


def _identify(dpkg: str, path: str) -> DebianPackage:
    fields = run([dpkg, "--field", path, "Package", "Version"], f"cannot read {os.path.basename(path)}")
    values = dict(line.split(": ", 1) for line in fields.strip().splitlines())
    with open(path, "rb") as stream:
        digest = hashlib.sha256(stream.read()).hexdigest()
    return DebianPackage(values["Package"], values["Version"], digest)
