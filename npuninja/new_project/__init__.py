"""A project of one's own: `templates/` holds its files as they are, `write` puts one together.

A template's file `NAME.in` becomes `NAME`; `@PROJECT@`, `@DEVICE@` and `@DESIGN@` in it are replaced, and
`dot-` at the start of a name is a dot. `templates/every_project` goes into every project.
"""
