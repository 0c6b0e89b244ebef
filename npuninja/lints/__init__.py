"""Lints: what is legal, but hardly meant. Each is one function that adds to `Warnings`; `--werror` makes them
errors.
"""
