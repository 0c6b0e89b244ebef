"""A folder that was built some other way as an npuninja project: `npuninja import`.

`make_commands` asks GNU make what it would do, `lit_tests` reads tests of LLVM's lit, `scripts` shell scripts
and READMEs (`shell` walks scripts); `shell_words` takes lines apart, `recognise` says what a command is for
(`found` has the records; `compile_words`, `aiecc_words`, `sed_words` read options); `cmake_target` has CMake
say what a host program is made of. `project_builder` makes a `project`: designs and kernels (`design_calls`
where several calls are one design), by `host_runs` its hosts. `project_files` writes toolchain.toml and
configure.py.
"""
