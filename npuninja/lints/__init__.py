"""Lints: what is legal, but probably not meant, added to `Warnings`; `--werror` makes them errors."""
