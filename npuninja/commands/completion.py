"""`npuninja completion SHELL`: prints what a shell needs to complete verbs, options, designs and files."""

from __future__ import annotations

import contextlib
import io
import os
import re

from npuninja.argument_parser import VerbParser

SCRIPTS = {
    "bash": "complete -o default -C 'npuninja completion --words' npuninja\n",
    "zsh": "autoload -U +X bashcompinit && bashcompinit\n"
    "complete -o default -C 'npuninja completion --words' npuninja\n",
    "fish": "complete -c npuninja -a '(COMP_LINE=(commandline -cp) npuninja completion --words npuninja "
    "(commandline -ct) x)'\n",
}
# Verbs that take names of designs.
OF_DESIGNS = (
    "build", "run", "test", "watch", "size", "model", "report", "configure",
    "inspect", "disasm", "profile", "lower", "graph",
)  # fmt: skip


def main(arguments: list[str]) -> int:
    """Runs the verb; returns the exit code."""
    if arguments[:1] == ["--words"]:
        print(
            "\n".join(candidates(os.environ.get("COMP_LINE", ""), arguments[2] if len(arguments) > 2 else ""))
        )
        return 0
    parser = VerbParser(
        prog="npuninja completion",
        description="Prints the completion for a shell.",
        epilog='bash, in ~/.bashrc: eval "$(npuninja completion bash)"',
    )
    parser.add_argument("shell", choices=sorted(SCRIPTS))
    print(SCRIPTS[parser.parse_args(arguments).shell], end="")
    return 0


def candidates(line: str, word: str) -> list[str]:
    """The words that can be at the end of a command line, where `word` begins."""
    from npuninja.cli import VERBS

    words = line.split()[1:]
    if word and words:
        words = words[:-1]
    if not words:
        found = list(VERBS)
    elif words[0] not in VERBS:
        found = []
    elif word.startswith("-"):
        found = options_of(words[0])
    elif words[0] in OF_DESIGNS:
        found = designs_here()
    else:
        found = []
    return [name for name in found if name.startswith(word)]


def options_of(verb: str) -> list[str]:
    """The options of a verb, read off its help."""
    from npuninja.cli import main as cli

    out = io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(io.StringIO()),
        contextlib.suppress(SystemExit),
    ):
        cli([verb, "--help"])
    return sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", out.getvalue())))


def designs_here() -> list[str]:
    """The names of the designs of the project here; none outside of one."""
    from npuninja.configure.built import build_of, designs_of, read_graph
    from npuninja.errors import Error

    try:
        return designs_of(read_graph(build_of()))
    except Error:
        return []
