"""Stage batch: several stages in one process, because each is shorter than the start of a process."""

from __future__ import annotations

from npuninja.errors import InternalError, UserError
from npuninja.stages._run import SEPARATOR, placed_outputs, remove_outputs


def run(arguments: list[str]) -> list[str]:
    """`[--depfile D] -o OUTPUT… --then STAGE ARGUMENT… [--then STAGE ARGUMENT…]…`: runs stages in this order.

    When one fails, the outputs of those before it stay, for a look at them; those after it are taken away,
    because they are of an earlier build.

    Args:
        arguments: after `-o` all outputs of all stages; then each stage's command line, without its depfile.

    Returns:
        The files that the stages read in addition to their inputs, without those that the batch makes.

    Raises:
        UserError: there is nothing to run. And whatever a stage raises.
    """
    own, *steps = _split(arguments)
    if not steps or "-o" not in own:
        raise UserError(f"batch: expected -o OUTPUT…, and {SEPARATOR} STAGE ARGUMENT… for each stage")
    outputs = own[own.index("-o") + 1 :]
    read: dict[str, None] = {}
    try:
        for stage, *words in steps:
            module = __import__(f"npuninja.stages.{stage}", fromlist=["run"])
            read.update(dict.fromkeys(module.run(words) or ()))
        missing = [path for path in outputs if path not in placed_outputs]
        if missing:
            raise InternalError(f"batch: no stage made {', '.join(missing)}")
    except BaseException:
        remove_outputs(path for path in outputs if path not in placed_outputs)
        raise
    found = [path for path in read if path not in placed_outputs]
    if found and "--depfile" not in own:
        raise InternalError(f"batch: {', '.join(found)} was read, and the command has no --depfile to say so")
    return found


def _split(words: list[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in words:
        if word == SEPARATOR:
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part or part is parts[0]]
