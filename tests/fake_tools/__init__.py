"""Installations of AMD's tools that only pretend: their programs are strict about what they are asked, and
write files of
the right form, made with npuninja's own lowering and formats. See README.md."""
