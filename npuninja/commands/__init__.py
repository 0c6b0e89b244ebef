"""The verbs of `npuninja` that have no other home, one module each, with `main(arguments) -> int`."""
