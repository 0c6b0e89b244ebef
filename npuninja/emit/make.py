"""A Makefile of the same graph, for GNU Make 3.82 or newer.

Make knows times only, so what Ninja does by itself is written out:

- A command makes a stamp, `OUTPUT.made-HASH`, and the outputs depend on it with an empty recipe. Make then
  looks at the outputs' own times, and a stage leaves those alone when the bytes stay the same: that is
  `restat`.
- One stamp may stand for several outputs: that is a grouped target.
- The hash is of the command line, and a command deletes the other stamps of its output, so another command
  (another version of a tool) makes the file again.
- An output that was deleted is seen when the Makefile is read, and adds a prerequisite that is never up to
  date.
- Files that depfiles name and that have vanished are taken as made, by `.DEFAULT`; so is what configure.py
  looked at.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from npuninja.emit.batch import RULE, BatchPart, batch_variables
from npuninja.emit.escape import quote_word
from npuninja.emit.ninja_text import NinjaText, expand
from npuninja.emit.remote import remote_stage
from npuninja.errors import Location, UserError
from npuninja.plan.graph import Batch, Edge, Graph

# What a name in a Makefile can be made of: nearly everything else means something to Make in one place or
# another.
_NAME = re.compile(r"[A-Za-z0-9_@+,./-]+")

_HEAD = """\
MAKEFLAGS += --no-builtin-rules
SHELL = /bin/sh
.SUFFIXES:
.PHONY: FORCE
FORCE:

# The file when it is there, else what is never up to date.
made = $(if $(wildcard $1),,FORCE)

# A header or a module that depfiles name and that is gone: its readers run again. A target that nobody knows is an error.
.DEFAULT:
\t@$(if $(filter $@,$(MAKECMDGOALS)),echo "there is no target $@" >&2; exit 2,:)
"""


def makefile(
    graph: Graph,
    rules: NinjaText,
    batch_parts: Mapping[str, BatchPart],
    name: str,
    configure: str,
    inputs: Sequence[str],
    header: Sequence[str],
) -> str:
    """The text of the Makefile.

    Args:
        graph: the edges.
        rules: build.ninja.in, filled.
        batch_parts: those of them that can be parts of a batch.
        name: what the Makefile is called, as `make -f` takes it.
        configure: the stamp of configure.py; its folder is the build folder.
        inputs: what configure.py looked at.
        header: sentences for its top.

    Raises:
        UserError: a file's name cannot be in a Makefile.
    """
    default = " ".join(_names((*graph.defaults, *rules.defaults)))
    text = [
        "\n".join(f"# {line}".rstrip() for line in header),
        f"all_by_default: {default}\n.PHONY: all_by_default",
        _HEAD,
    ]
    configure_again = rules.value("configure", "command", {})
    text.append(
        f"{_name(name)}: {_name(configure)} ;\n{_name(configure)}: {' '.join(_names(inputs))}\n"
        f"\t@{_recipe(configure_again)} && touch $@"
    )
    # What makes no file and has a pool; for the heavy tools of the build, `make -j` is to be chosen by
    # memory.
    own = {name: rule for name, rule in rules.rules.items() if "pool" in rule and "depfile" not in rule}
    alone = {edge.outputs[0]: edge for edge in graph.edges if edge.rule in own}
    depfiles: list[str] = []
    for command in graph.commands():
        elsewhere = " ".join(map(quote_word, remote_stage(graph, command)))
        stage = {"stage": f"{rules.variables['remote']} {elsewhere}"} if elsewhere else {}
        if isinstance(command, Batch):
            text.append("\n".join(_batch(command, rules, stage, batch_parts, depfiles)))
        elif command.rule == "phony":
            text.append("\n".join(_alias(command, alone, name)))
        else:
            text.append("\n".join(_command(command, rules, stage, depfiles)))
    text += _of_the_user(rules)
    text.append("-include $(wildcard \\\n  " + " \\\n  ".join(depfiles) + ")" if depfiles else "")
    return "\n\n".join(text) + "\n"


def _of_the_user(rules: NinjaText) -> Iterator[str]:
    """The `build` statements that are in build.ninja.in itself."""
    if rules.included:
        file, line = rules.included[0]
        raise UserError(
            f"Make cannot read {file!r}, which is in Ninja's language",
            Location(rules.file, line),
            hint="take Ninja (leave out --generator make), or write its statements here",
        )
    for build in rules.builds:
        outputs = _names((*build.outputs, *build.implicit_outputs))
        inputs = " ".join(_names((*build.inputs, *build.implicit)))
        later = " ".join(_names((*build.order_only, *build.validations)))
        ordered = f" | {later}" if later else ""
        if build.rule == "phony":
            yield f".PHONY: {' '.join(outputs)}\n{' '.join(outputs)}: {inputs}{ordered}"
            continue
        if build.rule not in rules.rules:
            message = f"there is no rule {build.rule!r}"
            raise UserError(
                message, Location(rules.file, build.line), hint=f"rules: {', '.join(rules.rules)}"
            )
        scope = {
            "in": " ".join(map(quote_word, build.inputs)),
            "out": " ".join(map(quote_word, build.outputs)),
            **build.variables,
        }
        says = rules.value(build.rule, "description", scope) or rules.command(build.rule, scope)
        command = _recipe(rules.command(build.rule, scope))
        first, *others = outputs
        folders = " ".join(
            sorted({posixpath.dirname(path) for path in outputs} - {""})
        )  # as Ninja makes them
        yield (
            f"{first}: {inputs}{ordered}\n\t@echo {_recipe(quote_word(says))}\n"
            + (f"\t@mkdir -p {folders}\n" if folders else "")
            + f"\t@{command}"
            + "".join(f"\n{other}: {first} ;" for other in others)
        )


def _alias(edge: Edge, alone: Mapping[str, Edge], makefile_name: str) -> Iterator[str]:
    target = _name(edge.outputs[0])
    yield f".PHONY: {target}"
    members = [alone[path] for path in edge.inputs if path in alone]
    if not members:
        # Nothing waits for a validation but the alias itself.
        yield f"{target}: {' '.join(_names((*edge.inputs, *edge.implicit, *edge.validations)))}"
        return
    # Commands that talk, or share an NPU, run one after the other; what they need is made in parallel before.
    needs = dict.fromkeys(path for member in members for path in (*member.inputs, *member.implicit))
    yield f"{target}: {' '.join(_names(needs))}"
    yield f"\t@$(MAKE) --no-print-directory -f {makefile_name} -j1 {' '.join(_names(edge.inputs))}"


def _batch(
    batch: Batch,
    rules: NinjaText,
    stage: Mapping[str, str],
    batch_parts: Mapping[str, BatchPart],
    depfiles: list[str],
) -> Iterator[str]:
    scope = {**stage} | {
        name: expand(value, rules.variables) for name, value in batch_variables(batch, batch_parts).items()
    }
    scope["out"] = " ".join(map(quote_word, batch.outputs))
    yield from _made(RULE, rules, scope, batch.inputs, batch.outputs, depfiles)


def _command(edge: Edge, rules: NinjaText, stage: Mapping[str, str], depfiles: list[str]) -> Iterator[str]:
    scope = {
        **stage,
        "in": " ".join(map(quote_word, edge.inputs)),
        "out": " ".join(map(quote_word, edge.outputs)),
        "options": " ".join(map(quote_word, edge.options)),
    }
    inputs = (*edge.inputs, *edge.implicit)
    if rules.value(edge.rule, "depfile", scope):
        yield from _made(edge.rule, rules, scope, inputs, (*edge.outputs, *edge.implicit_outputs), depfiles)
        return
    # It makes no file: run and the like.
    target = _name(edge.outputs[0])
    yield f".PHONY: {target}"
    yield f"{target}: {' '.join(_names(inputs))}"
    yield from _recipe_lines(edge.rule, rules, scope)


def _made(
    rule: str,
    rules: NinjaText,
    scope: Mapping[str, str],
    inputs: Sequence[str],
    outputs: Sequence[str],
    depfiles: list[str],
) -> Iterator[str]:
    """The stamp of a command and the files that it stands for."""
    depfiles.append(_name(rules.value(rule, "depfile", scope)))
    names = _names(outputs)
    target = names[0]
    command = rules.command(rule, scope)
    stamp = f"{target}.made-{hashlib.sha256(command.encode()).hexdigest()[:8]}"
    present = " ".join(f"$(call made,{output})" for output in names)
    yield f"{stamp}: {' '.join(_names(inputs))} {present}"
    yield from _recipe_lines(rule, rules, scope, f" --depfile-target $@ && rm -f {target}.made-* && touch $@")
    yield f"{' '.join(names)}: {stamp} ;"


def _recipe_lines(rule: str, rules: NinjaText, scope: Mapping[str, str], then: str = "") -> Iterator[str]:
    says = quote_word(rules.value(rule, "description", scope))
    yield f"\t@echo {_recipe(says)}"
    yield f"\t@{_recipe(rules.command(rule, scope))}{then}"


def _recipe(command: str) -> str:
    return command.replace("$", "$$")


def _names(paths: Sequence[str] | Mapping[str, None]) -> list[str]:
    return [_name(path) for path in paths]


def _name(path: str) -> str:
    if not _NAME.fullmatch(path):
        raise UserError(
            f"Make cannot build with a file called {path!r}: blanks and most signs mean something to it",
            hint="rename the file or the folder, or take Ninja (leave out --generator make), which can",
        )
    return path
