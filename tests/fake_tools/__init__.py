"""Pretended installations of AMD's tools: strict about what they are asked, and their files have the right
form, made with npuninja's own lowering and formats. See README.md."""
