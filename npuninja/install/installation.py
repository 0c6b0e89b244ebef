"""What `npuninja tools install` needs to know of one tool, here or of a program of the source tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from npuninja.install.debian import SUITE, DebianPackage, install_packages
from npuninja.install.installed_files import write_record


class Circumstances(NamedTuple):
    """Of one installation.

    Attributes:
        environment: of the user.
        mirror: URL of a Debian mirror; by default that of the system's own apt.
        say: called with what happens, a line each.
    """

    environment: Mapping[str, str]
    mirror: str | None
    say: Callable[[str], None]


def from_debian(
    packages: Sequence[str], folder: str, finish: Callable[[str], None], given: Circumstances
) -> None:
    """Fills a folder from packages of Debian, and records them. Raises as `install_packages`."""

    def record(root: str, installed: list[DebianPackage]) -> None:
        write_record(root, {"suite": SUITE, "packages": [asdict(package) for package in installed]})

    install_packages(packages, folder, finish=finish, record=record, mirror=given.mirror, say=given.say)


@dataclass(frozen=True)
class Installation:
    """What can be installed.

    Attributes:
        purpose: for the help.
        use: what one does with it.
        packages: as `fetch` takes them; what they need comes with them.
        finish: makes launchers in the unpacked folder and runs them; returns the version. Raises ToolError
            when they do not run.
        fetch: fills a folder from the packages, and has it finished before the folder counts.
    """

    purpose: str
    use: str
    packages: tuple[str, ...]
    finish: Callable[[str], str]
    fetch: Callable[[Sequence[str], str, Callable[[str], None], Circumstances], None] = from_debian
