"""What each command of a foreign build is for: a table of programs, each with what reads its words."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from npuninja.kernel_headers import MADE_FOR_CHESS
from npuninja.porting.aiecc_words import read_aiecc_words
from npuninja.porting.compile_words import found_libraries, read_compile_words
from npuninja.porting.found import (
    Archive,
    CMakeBuild,
    CommandEffect,
    CopiedFile,
    DesignScript,
    FoundHostProgram,
    FoundKernelObject,
    HostRun,
    ReplacedWords,
    ShellCommand,
)
from npuninja.porting.sed_words import read_sed_words


@dataclass(frozen=True)
class Recognised:
    """One command and what it is.

    Attributes:
        command: as make said it.
        found: what it does; None when nothing follows from it for npuninja.
        remark: why nothing follows, in words; "" for commands that need no word (mkdir, echo).
    """

    command: ShellCommand
    found: CommandEffect | None
    remark: str = ""


#: What a reader makes of a command: what it does, or why nothing follows, "" where that needs no word.
Recognition = CommandEffect | str

_SCRIPT_OUTPUTS = {"--xclbin-path": "xclbin", "--insts-path": "insts", "--elf-path": "elf"}
# Scripts of MLIR-AIE's own tree: they look at what a run has left, and decide nothing.
_TRACE_READERS = r"/utils/trace/(?:parse|get_trace_summary)\.py$"
# Options of aiecc for the hosts of Versal devices.
_OTHER_HOSTS = ("--host-target", "--sysroot", "--link_against_hsa", "--link-against-hsa")
_OVERLAY = "aie-generate-column-control-overlay"
_SHELLS = ("bash", "sh", "zsh")
_QUIET = (
    "mkdir", "rm", "chmod", "echo", "touch", "true", ":", "printf", "rmdir", "exit", "export", "set", "ls", "cat", "pwd", "date",
    "file", "stat", "du", "wc", "head", "tail", "grep", "find", "sha256sum", "md5sum", "xxd", "hexdump", "uname", "sleep", "bc",
    "which", "column", "tee", "lsmod", "xrt-smi", "readelf", "objdump", "strings", "nm", "size", "source", "diff", "git", "id",
)  # fmt: skip
_CORE_TARGET = re.compile(r"(?:^|=)aie2?p?s?(?:-|$)")


def recognise(commands: Sequence[ShellCommand]) -> list[Recognised]:
    """What each command is, in order."""
    return [_recognised(one) for command in commands for one in _one_by_one(command)]


def _recognised(command: ShellCommand) -> Recognised:
    found = _read(command)
    return Recognised(command, None, found) if isinstance(found, str) else Recognised(command, found)


def _one_by_one(command: ShellCommand) -> list[ShellCommand]:
    """`cp A B FOLDER` as several commands, and each with the name of the file that it makes."""
    if os.path.basename(command.words[0]) not in ("cp", "mv", "ln", "install"):
        return [command]
    options = [word for word in command.words[1:] if word.startswith("-")]
    *files, target = [word for word in command.words[1:] if not word.startswith("-")] or [""]
    into = target.endswith("/") or len(files) > 1 or os.path.basename(target) in (".", "..")
    into |= os.path.isdir(os.path.join(command.folder, target))
    # A folder that the build makes: it has no ending, and the file has one.
    into |= len(files) == 1 and "." in os.path.basename(files[0]) and "." not in os.path.basename(target)
    if not files or not into:
        return [command]
    program = command.words[0]
    return [
        replace(command, words=(program, *options, file, os.path.join(target, os.path.basename(file))))
        for file in files
    ]


def _read(command: ShellCommand) -> Recognition:
    program = os.path.basename(command.words[0]).removesuffix(".exe")
    if not command.alone:
        quiet = command.words[0].startswith(("mkdir", "rm"))
        return "" if quiet else "it depends on what a shell finds out at run time"
    for pattern, read in _PROGRAMS:
        if re.fullmatch(pattern, program):
            return read(command)
    if "/" in command.words[0]:
        return _run(command)
    return f"npuninja does not know what {command.words[0]} is for"


def _nothing(_: ShellCommand) -> Recognition:
    return ""


def _compile(command: ShellCommand) -> Recognition:
    """A compiler's call: a kernel's when its target is an AI Engine, else a host program's."""
    compiler = command.words[0]
    words = read_compile_words(command.words[1:], command.folder)
    for_core = any(_CORE_TARGET.search(w) for w in command.words[1:] if "target" in w or w.startswith("aie"))
    if not words.sources and not words.objects:
        return "it compiles nothing"
    files = (*words.sources, *words.objects)
    stem = os.path.splitext(os.path.basename((*words.sources, "a")[0]))[0]
    output = words.output or command.path(f"{stem}.o" if for_core or words.only_compiles else "a.out")
    if for_core:
        flags = tuple(flag for flag in words.flags if flag.startswith(("-O", "-f")))
        defines = (*words.defines, *_made_for(compiler))
        language = words.language or _language_of(compiler, words.sources)
        return FoundKernelObject(output, files, defines, tuple(words.include), flags, language)
    libraries = tuple(found_libraries(words.libraries, words.library_folders))
    return FoundHostProgram(
        output=output,
        sources=files,
        defines=tuple(words.defines),
        include=tuple(words.include),
        flags=tuple(words.flags),
        libraries=libraries,
        language=words.language,
    )


def _made_for(compiler: str) -> tuple[str, ...]:
    """The define for a kernel that is made for chess, whose block floats have another size than Peano's."""
    return (MADE_FOR_CHESS,) if os.path.basename(compiler).startswith("xchesscc") else ()


def _language_of(compiler: str, sources: Sequence[str]) -> str:
    """C++ for files that are named as C and given to a compiler of C++; "" where the suffix says it."""
    plus = re.search(r"\+\+(-\d+)?$", os.path.basename(compiler)) is not None
    return "c++" if plus and any(source.endswith(".c") for source in sources) else ""


def _archive(command: ShellCommand) -> Recognition:
    files = [command.path(word) for word in command.words[1:] if word.endswith((".a", ".o"))]
    return Archive(files[0], tuple(files[1:])) if len(files) > 1 else "it makes no archive of objects"


def _link(command: ShellCommand) -> Recognition:
    if "-r" not in command.words and "-Ur" not in command.words:
        return "cores are linked by npuninja"
    words = read_compile_words(command.words[1:], command.folder)
    return Archive(words.output, tuple(words.objects))


def _python(command: ShellCommand) -> Recognition:
    words = list(command.words[1:])
    while words and words[0].startswith("-") and words[0] not in ("-c", "-m"):
        del words[: 2 if words[0] in ("-X", "-W") else 1]
    if not words or words[0] == "-c":
        return "it runs a piece of Python"
    module = ""
    if words[0] == "-m":
        module = words[1] if len(words) > 1 else ""
        words[:2] = [_file_of_module(module, command)]
        if module.startswith("aie.compiler.aiecc"):
            return _aiecc(replace(command, words=(module, *words[1:])))
        if not words[0]:
            return f"the module {module} is not in this folder"
    if re.fullmatch(r"aiecc(?:\.py)?", os.path.basename(words[0])):  # the driver itself, by its path
        return _aiecc(replace(command, words=tuple(words)))
    return _script(command, words, module)


def _script(command: ShellCommand, words: Sequence[str], module: str) -> Recognition:
    """A run of a Python script: a host program, or a design, which it prints or from which it makes files."""
    script, arguments = command.path(words[0]), tuple(words[1:])
    outputs = {
        _SCRIPT_OUTPUTS[name]: command.path(value)
        for name, value in _options(arguments)
        if name in _SCRIPT_OUTPUTS
    }
    mlir = command.stdout if command.stdout.endswith(".mlir") else ""
    if mlir or "xclbin" in outputs:
        return DesignScript(script, arguments, command.folder, mlir, outputs, module)
    written = next((b for a, b in pairwise(arguments) if a in ("-o", "--output") and b.endswith(".mlir")), "")
    if written:
        return DesignScript(script, arguments, command.folder, command.path(written), module=module)
    if re.search(_TRACE_READERS, script):
        return "it reads a trace, as npuninja trace --run NAME does"
    return _host_run(command, script, arguments, module)


def _host_run(command: ShellCommand, program: str, arguments: tuple[str, ...], module: str = "") -> HostRun:
    return HostRun(
        program=program,
        arguments=arguments,
        folder=command.folder,
        environment=command.environment,
        module=module,
        device=command.device,
        output_has=command.output_has,
    )


def _file_of_module(module: str, command: ShellCommand) -> str:
    """The file of a module that Python would find: in the command's folder, or where its PYTHONPATH says."""
    searched = [command.folder, *dict(command.environment).get("PYTHONPATH", "").split(os.pathsep)]
    for folder in searched:
        # The folder of the command may be one that the build makes.
        base = command.path(os.path.join(folder, *module.split(".")))
        for path in (f"{base}.py", os.path.join(base, "__main__.py")):
            if folder and module and os.path.isfile(path):
                return path
    return ""


def _aiecc(command: ShellCommand) -> Recognition:
    found = read_aiecc_words(command.words[1:], command.folder)
    if not found.mlir:
        return "it names no design"
    own_host = any(re.match(r"--host-target[= ]?x86_64", word) for word in command.words)
    if any(word.partition("=")[0] in _OTHER_HOSTS for word in command.words) and not own_host:
        return "it is for the host of another device than an NPU"
    return found


def _aie_translate(command: ShellCommand) -> Recognition:
    """`aie-translate --aie-npu-to-binary` of the transaction of aiecc: the configuration as a sequence."""
    words, sources = read_compile_words(command.words[1:], command.folder), _modules(command)
    if "npu-to-cpp" in " ".join(command.words):
        return "sequences with values of run time are C++ of MLIR-AIE, which npuninja does not write"
    if "npu-to-binary" not in " ".join(command.words) or not sources or not words.output:
        return "of aie-translate, npuninja takes over what makes a transaction binary"
    return CopiedFile(sources[0], words.output)


def _modules(command: ShellCommand) -> list[str]:
    """The files of MLIR among a command's words."""
    files = (word for word in command.words[1:] if word.endswith(".mlir") and not word.startswith("-"))
    return [command.path(file) for file in files]


def _xclbinutil(command: ShellCommand) -> Recognition:
    makes = any(word.startswith(("--add", "--output", "-o")) for word in command.words)
    return "npuninja packs XCLBINs itself, of what its stages make" if makes else ""


def _aie_opt(command: ShellCommand) -> Recognition:
    """`aie-opt` with the control overlay, a flag of a design; other passes are npuninja's own business."""
    words = read_compile_words(command.words[1:], command.folder)
    passes = [word for word in command.words[1:] if word.lstrip("-").startswith(_OVERLAY)]
    source = next((path for path in _modules(command) if path != words.output), "")
    if not passes or not source or not words.output or "route-shim-to-tile-ctrl=true" not in passes[0]:
        return "of aie-opt, npuninja takes over the overlay for control packets"
    return ReplacedWords(source, words.output, (), ("--generate-ctrl-pkt-overlay=first",))


def _cmake(command: ShellCommand) -> Recognition:
    words, environment = list(command.words[1:]), list(command.environment)
    if words[:2] == ["-E", "env"]:
        words = words[2:]
        while words and "=" in words[0] and not words[0].startswith("-"):
            name, _, value = words.pop(0).partition("=")
            environment.append((name, value))
        words = words[1:]
    elif words[:1] == ["-E"]:
        return ""
    if "--build" in words or "--install" in words:
        return ""
    variables, source, build = [], "", command.folder
    rest = iter(words)
    for word in rest:
        option, value = word[:2], word[2:]
        if option in ("-D", "-S", "-B", "-G", "-H") and not value:
            value = next(rest, "")
        if option == "-D":
            variables.append(value)
        elif option in ("-S", "-H"):
            source = value
        elif option == "-B":
            build = command.path(value)
        elif not word.startswith("-"):
            source = source or word
    if not source:
        return "it names no CMake project"
    return CMakeBuild(command.path(source), build, tuple(variables), tuple(environment))


def _copy(command: ShellCommand) -> Recognition:
    paths = [command.path(word) for word in command.words[1:] if word[:1] != "-"]
    return CopiedFile(*paths) if len(paths) == 2 else "it copies several files"


def _jupyter(command: ShellCommand) -> Recognition:
    """`jupyter nbconvert`: a notebook as a script, or run; `jupyter execute`."""
    files = [word for word in command.words[1:] if word.endswith(".ipynb")]
    options = dict(_options(command.words[1:]))
    if len(files) != 1:
        return "it names no notebook, or several"
    notebook = command.path(files[0])
    if "execute" in command.words[1:2] or "--execute" in command.words:
        return HostRun(notebook, (), command.folder, command.environment)
    if options.get("--to") not in ("script", "python"):
        return "it makes nothing that is run"
    stem = os.path.splitext(os.path.basename(notebook))[0]
    name = os.path.splitext(options.get("--output", stem))[0] + ".py"
    folder = options.get("--output-dir", os.path.dirname(notebook))
    return CopiedFile(notebook, command.path(os.path.join(folder, name)))


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """`--NAME VALUE` and `--NAME=VALUE`."""
    for word, after in zip(words, (*words[1:], "")):
        name, equals, value = word.partition("=")
        if name.startswith("--"):
            yield name, value if equals else after


def _run(command: ShellCommand) -> Recognition:
    if command.words[0].endswith(".py"):  # a script whose first line names Python
        return _python(replace(command, words=("python3", *command.words)))
    return _host_run(command, command.path(command.words[0]), command.words[1:])


_PROGRAMS: tuple[tuple[str, Callable[[ShellCommand], Recognition]], ...] = (
    ("|".join(map(re.escape, _QUIET)), _nothing),
    (r"(?:\S*-)?(?:clang|gcc|g|c)(?:\+\+)?(?:-\d+(?:\.\d+)*)?|cc|xchesscc_wrapper|xchesscc", _compile),
    (r"(?:llvm-|gcc-)?ar", _archive),
    (r"(?:\S*-)?ld(?:\.lld)?|ld\.lld", _link),
    (r"aiecc(?:\.py)?|aiecc-\S+", _aiecc),
    (r"aie-opt", _aie_opt),
    (r"aie-translate", _aie_translate),
    (r"xclbinutil", _xclbinutil),
    (r"llvm-(?:nm|objdump|readelf|size|strings)", _nothing),
    (r"python(?:3(?:\.\d+)?)?|ipython3?", _python),
    (r"cmake", _cmake),
    (r"cp|mv|ln|install", _copy),
    (r"sed", read_sed_words),
    (r"jupyter|jupyter-nbconvert", _jupyter),
)
