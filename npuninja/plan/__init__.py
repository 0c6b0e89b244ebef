"""Designs and toolchain become a graph of typed edges.

Nothing is built here, and nothing is decided later.
"""
