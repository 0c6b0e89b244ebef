"""The body of a core as C."""
