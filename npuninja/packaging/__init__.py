"""Packages of built designs: an archive and a wheel, what is in them, and the checks on them."""
