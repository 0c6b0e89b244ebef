"""Programs that run the one behind their own words: `time`, `env A=B`, `timeout 60`."""

from __future__ import annotations

import os

from npuninja.porting.shell.parse import ASSIGNMENT

# Name -> how many plain words they have themselves.
_IN_FRONT = {
    "time": 0,
    "nice": 0,
    "nohup": 0,
    "timeout": 1,
    "stdbuf": 0,
    "sudo": 0,
    "env": 0,
    "exec": 0,
    "command": 0,
    "builtin": 0,
}

_IN_FRONT_VALUED = ("-n", "-o", "-u", "-i", "-e", "-k", "-s")


def without_front(words: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """A command without `time`, `env A=B`, `timeout 60` and their like in front; and the variables that they set."""
    given: list[tuple[str, str]] = []
    while words and os.path.basename(words[0]) in _IN_FRONT:
        own = _IN_FRONT[os.path.basename(words[0])]
        words = words[1:]
        while words:
            if words[0].startswith("-"):
                words = words[2:] if words[0] in _IN_FRONT_VALUED else words[1:]
            elif ASSIGNMENT.match(words[0]):
                name, _, value = words[0].partition("=")
                given.append((name, value))
                words = words[1:]
            elif own:
                own, words = own - 1, words[1:]
            else:
                break
    return words, given
