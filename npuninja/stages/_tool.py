"""Running a real tool in a stage: its environment, folder, failures. Only stages that have one load this."""

from __future__ import annotations

import os

from npuninja.errors import Location, ToolError, in_words

# Variables of the caller's environment that a tool sees, each with its reason. Everything else is left out,
# so that a build does not depend on the shell it was started from.
PASSED_VARIABLES = (
    "HOME",  # tools that insist on a place for settings
    "LD_LIBRARY_PATH",  # tools installed beside their libraries
    "PATH",  # tools that start others by name
    "TMPDIR",  # where temporary files may go
    "SYSTEMROOT",  # Windows programs do not start without it
)


class ToolFailed(ToolError):
    """A tool returned an exit code other than 0; `output` is what it printed, both streams together."""

    def __init__(
        self,
        message: str,
        *,
        notes: tuple[tuple[str, Location | None], ...],
        output: str,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, notes=notes, hint=hint)
        self.output = output


def run_tool(
    command: list[str],
    *,
    folder: str | None = None,
    variables: dict[str, str] | None = None,
    time_limit_s: float = 300.0,
) -> str:
    """Runs a real tool and returns what it printed, both streams together.

    Args:
        command: absolute path of the program and its arguments.
        folder: where it runs; default: here.
        variables: environment variables in addition to the `PASSED_VARIABLES`.
        time_limit_s: after this many seconds it is ended.

    Raises:
        ToolFailed: its exit code is not 0; the message has the end of its output.
        ToolError: it cannot be started or takes too long.
    """
    import subprocess  # 10 ms, and only stages with a real tool need it

    environment = {name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ}
    environment.update({"LC_ALL": "C"}, **(variables or {}))
    shown = " ".join(command)
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=time_limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        message = f"{command[0]} did not end within {time_limit_s:g} s"
        raise ToolError(message, notes=((f"command: {shown}", None),)) from error
    except OSError as error:
        raise ToolError(
            f"cannot start {command[0]}: {in_words(error)}",
            hint="run configure.py again, so that it looks for the tool again",
        ) from error
    output = done.stdout.decode("utf-8", "replace")
    if done.returncode:
        tail = "\n".join(output.rstrip().split("\n")[-40:])
        code = done.returncode
        how = f"was ended by signal {-code}" if code < 0 else f"failed with exit code {code}"
        notes: tuple[tuple[str, Location | None], ...] = (
            (f"command: {shown}", None),
            (f"it printed:\n{tail}", None),
        )
        meanings = _what_it_means(f"{how}\n{output}")
        notes += tuple((text, None) for text in meanings[1:])
        raise ToolFailed(
            f"{command[0]} {how}", notes=notes, output=output, hint=meanings[0] if meanings else None
        )
    return output


def _what_it_means(output: str) -> list[str]:
    """What is known of such an output, a sentence each."""
    from npuninja.hints import matching  # only on the way to an error

    return [hint.text() for hint in matching(output, "build")]


class WorkFolder:
    """A folder of a tool's own, for as long as the block runs, with links to files by their names.

    Args:
        path: of the folder, which is made.
        files: that are linked.
    """

    def __init__(self, path: str, *files: str) -> None:
        self.path = os.path.abspath(path)
        self._files = files

    def __enter__(self) -> str:
        try:
            os.makedirs(self.path, exist_ok=True)
            for file in self._files:
                os.symlink(os.path.abspath(file), os.path.join(self.path, os.path.basename(file)))
        except BaseException:  # `__exit__` is not called for it
            self._remove()
            raise
        return self.path

    def __exit__(self, *error: object) -> None:
        self._remove()

    def _remove(self) -> None:
        """Takes the folder away as far as possible: what a tool has left open is no fault of the stage's."""
        from contextlib import suppress  # `subprocess` has loaded it

        # By hand, as `shutil` takes longer to load than most stages run.
        for folder, folders, names in os.walk(self.path, topdown=False):
            paths = (os.path.join(folder, name) for name in (*names, *folders))
            for path in (*paths, *([folder] if folder == self.path else [])):
                with suppress(OSError):
                    (os.rmdir if os.path.isdir(path) and not os.path.islink(path) else os.unlink)(path)


def remove(*paths: str) -> None:
    """Removes files that may not be there."""
    for path in paths:
        if os.path.lexists(path):
            os.unlink(path)
