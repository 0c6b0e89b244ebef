"""Takes away what a program does not need of its packages (a whole Python, for one script of them)."""

from __future__ import annotations

import os
import re
import subprocess

from npuninja.errors import ToolError


def keep_only(root: str, program: str, launcher: str) -> None:
    """Removes every file of `root` but a program, its launcher, its libraries, and the packages' licences.

    Args:
        root: a folder with unpacked packages.
        program: path of the program in it.
        launcher: path of its launcher, as from `write_launcher`; the loader is asked through it.

    Raises:
        ToolError: the loader cannot say which libraries there are, or one is not in `root`.
    """
    with open(launcher, encoding="utf-8") as stream:
        command = re.findall(r'"\$here/([^"]+)"', stream.read())
    loader, libraries = (os.path.join(root, part) for part in command[:2])
    words = [loader, "--inhibit-cache", "--library-path", libraries, "--list", os.path.join(root, program)]
    listed = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    if listed.returncode or "not found" in listed.stdout:
        raise ToolError(
            f"libraries of {program} are missing: {(listed.stderr or listed.stdout).strip()[:300]}"
        )
    #         libstdc++.so.6 => /…/usr/lib/x86_64-linux-gnu/libstdc++.so.6 (0x00007f…)
    loaded = re.findall(r"=> (.+) \(0x", listed.stdout)
    kept = {os.path.join(root, program), launcher, loader, *loaded}
    kept |= {os.path.realpath(path) for path in kept}
    for folder, folders, files in os.walk(root, topdown=False):
        for name in [*files, *(f for f in folders if os.path.islink(os.path.join(folder, f)))]:
            path = os.path.join(folder, name)
            if path not in kept and not (name == "copyright" and "/usr/share/doc/" in path):
                os.unlink(path)
        if folder != root and not os.listdir(folder):
            os.rmdir(folder)
