"""Lints: what is legal, but probably not meant. Each is one function that adds to `Warnings`; `--werror` makes them
errors.
"""
