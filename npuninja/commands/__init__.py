"""The verbs of `npuninja`, one module each, with `main(arguments) -> int`."""
