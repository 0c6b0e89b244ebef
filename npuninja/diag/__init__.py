"""Errors, and what tells a person about machine, files and results."""
