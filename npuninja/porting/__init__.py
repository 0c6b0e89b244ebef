"""A folder that was built some other way as an npuninja project: `npuninja import`.

`make_commands` has GNU make itself say what it would do, `shell_words` takes its lines apart, `recognise` says what each
command is for (`found` has the records), `cmake_target` asks CMake for what a host program is made of, `project` turns all
of it into designs, kernels and hosts, and `project_files` writes toolchain.toml and configure.py.
"""
