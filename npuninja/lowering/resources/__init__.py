"""Tiles, locks, buffers, ids: what each tile of a design holds, and where."""
