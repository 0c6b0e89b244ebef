"""Lints: each adds to `Warnings` what is legal, but probably not meant; `--werror` makes these errors."""
