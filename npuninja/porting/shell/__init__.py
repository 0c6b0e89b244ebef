"""Shell scripts, read and not run: which commands they would give, on the way on which nothing fails.

`tree` has the parts of a script, `parse` reads them, `quoting` says where quotes end, `expansion` makes words
of `$NAME`, `${NAME%.cc}` and their like, `conditions` decides `[ … ]`, `places` which files are there,
`answers` knows what `dirname` and its like print, `state` is what a shell has at hand, `builtins` what it
does itself, `in_front` takes `time` and its like off. `walk` goes through a script and hands out its
commands. None of it starts a program or writes a file. The door is `walk.walk_script`.
"""
