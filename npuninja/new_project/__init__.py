"""A project of one's own: `templates/` holds its files as they are, `write` puts one together.

A file `NAME.in` of a template becomes `NAME`; `@PROJECT@`, `@DEVICE@` and `@DESIGN@` in it are replaced, and `dot-`
at the start of a name is a dot. `templates/every_project` goes into every project.
"""
