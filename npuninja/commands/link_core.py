"""`npuninja ld`: see `npuninja.commands.assemble`."""

from npuninja.commands.assemble import link_main as main

__all__ = ["main"]
