"""A folder that was built some other way as an npuninja project: `npuninja import`.

`make_commands` has GNU make itself say what it would do, `lit_tests` reads what a test of LLVM's lit would do, `scripts` what
shell scripts and READMEs say (`shell` goes through scripts), `shell_words` takes lines apart, `recognise` says what each
command is for (`found` has the records; `compile_words`, `aiecc_words` and `sed_words` read options), `cmake_target` asks
CMake for what a host program is made of. `project_builder` turns all of it into a `project`: its designs and kernels
(`design_calls` where several calls are one design), and by `host_runs` its hosts. `project_files` writes toolchain.toml and
configure.py.
"""
