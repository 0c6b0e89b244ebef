"""Affine and structured control flow to branches; constants folded on the way."""
