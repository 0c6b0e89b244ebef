"""Pretended installations of AMD's tools: strict about what they are asked; their files have the right form,
by npuninja's own lowering and formats. See README.md."""
