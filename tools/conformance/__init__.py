"""`npuninja conformance`: lowering against recorded results of the reference tools; for work on npuninja.

`command` is the verb, `table` what it prints. `compare_mlir` compares two modules by meaning: `mlir_lines`
reads them, `printed_programs` frees their programs of spelling.
"""
