"""Programs that run the one behind their own words: `time`, `env A=B`, `timeout 60`."""

from __future__ import annotations

import os

from npuninja.porting.shell.parse import ASSIGNMENT

# Name -> how many plain words they have themselves, and their options with a value after a blank.
_IN_FRONT: dict[str, tuple[int, tuple[str, ...]]] = {
    "time": (0, ("-f", "-o")),
    "nice": (0, ("-n",)),
    "nohup": (0, ()),
    "timeout": (1, ("-k", "-s")),
    "stdbuf": (0, ("-i", "-o", "-e")),
    "sudo": (0, ("-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T")),
    "env": (0, ("-u", "-C")),
    "exec": (0, ("-a",)),
    "command": (0, ()),
    "builtin": (0, ()),
}


def without_front(words: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """A command without `time`, `env A=B`, `timeout 60` and their like, and the variables that they set."""
    given: list[tuple[str, str]] = []
    while words and os.path.basename(words[0]) in _IN_FRONT:
        own, valued = _IN_FRONT[os.path.basename(words[0])]
        words = words[1:]
        while words:
            if words[0].startswith("-"):
                words = words[2:] if words[0] in valued else words[1:]
            elif ASSIGNMENT.match(words[0]):
                name, _, value = words[0].partition("=")
                given.append((name, value))
                words = words[1:]
            elif own:
                own, words = own - 1, words[1:]
            else:
                break
    return words, given
