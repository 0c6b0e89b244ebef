"""toolchain.toml, the file of a project's settings, as one table (`table`).

`reader` checks a file against the table, `places` says where a key is, `schema` makes the JSON schema for
editors, `pages` the reference page and the commented file of a new project: a key is declared once.
"""
