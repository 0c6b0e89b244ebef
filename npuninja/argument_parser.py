"""The command line of a verb: argparse, whose complaints are errors like all others."""

from __future__ import annotations

import argparse

from npuninja import TYPE_CHECKING
from npuninja.errors import UserError

if TYPE_CHECKING:
    from typing import NoReturn


class VerbParser(argparse.ArgumentParser):
    """Raises UserError for a command line that is wrong, with where to read what is right; exit code 2."""

    def error(self, message: str) -> NoReturn:
        """What argparse calls for a wrong command line."""
        raise UserError(f"{self.prog}: {message}", hint=f"{self.prog} --help lists the options")
