"""Designs and toolchain become a graph of typed edges."""
