"""What each command of a foreign build is for: a table of programs, each with the function that reads its words."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from npuninja.kernel_headers import MADE_FOR_CHESS
from npuninja.porting.aiecc_words import read_aiecc_words
from npuninja.porting.compile_words import found_libraries, read_compile_words
from npuninja.porting.found import (
    Archive,
    CMakeBuild,
    Command,
    Copy,
    DesignScript,
    Found,
    HostProgram,
    HostRun,
    KernelObject,
    ReplacedWords,
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

    command: Command
    found: Found | None
    remark: str = ""


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


def recognise(commands: Sequence[Command]) -> list[Recognised]:
    """What each command is, in order."""
    return [_recognise(one) for command in commands for one in _one_by_one(command)]


def _one_by_one(command: Command) -> list[Command]:
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


def _recognise(command: Command) -> Recognised:
    if not command.alone:
        if all(word.startswith(("mkdir", "rm")) for word in command.words[:1]):
            return Recognised(command, None)
        return Recognised(command, None, "it depends on what a shell finds out at run time")
    program = os.path.basename(command.words[0]).removesuffix(".exe")
    for pattern, read in _PROGRAMS:
        if re.fullmatch(pattern, program):
            return read(command)
    if _is_path(command.words[0]):
        return _run(command)
    return Recognised(command, None, f"npuninja does not know what {command.words[0]} is for")


def _is_path(word: str) -> bool:
    return "/" in word


def _nothing(command: Command) -> Recognised:
    return Recognised(command, None)


def _compile(command: Command) -> Recognised:
    """A compiler's call: a kernel's when its target is an AI Engine, else a host program's."""
    words = read_compile_words(command.words[1:], command.folder)
    for_core = any(_CORE_TARGET.search(w) for w in command.words[1:] if "target" in w or w.startswith("aie"))
    if not words.sources and not words.objects:
        return Recognised(command, None, "it compiles nothing")
    output = words.output or os.path.join(command.folder, "a.out")
    if for_core:
        if not words.output:
            stem = os.path.splitext(os.path.basename(words.sources[0]))[0] if words.sources else "a"
            output = os.path.join(command.folder, f"{stem}.o")
        return Recognised(
            command,
            KernelObject(
                output,
                tuple(words.sources + words.objects),
                (*words.defines, *_made_for(command.words[0])),
                tuple(words.include),
                tuple(flag for flag in words.flags if flag.startswith(("-O", "-f"))),
                words.language or _language_of(command.words[0], words.sources),
            ),
        )
    if words.only_compiles and not words.output:
        output = os.path.join(command.folder, os.path.splitext(os.path.basename(words.sources[0]))[0] + ".o")
    found = HostProgram(
        output,
        tuple(words.sources + words.objects),
        tuple(words.defines),
        tuple(words.include),
        tuple(words.flags),
        tuple(found_libraries(words.libraries, words.library_folders)),
        words.language,
    )
    return Recognised(command, found)


def _made_for(compiler: str) -> tuple[str, ...]:
    """The define that says that a kernel is made for chess, whose block floats have another size than Peano's."""
    return (MADE_FOR_CHESS,) if os.path.basename(compiler).startswith("xchesscc") else ()


def _language_of(compiler: str, sources: Sequence[str]) -> str:
    """C++ for files that are named as C and given to a compiler of C++; "" where the suffix says it."""
    plus = re.search(r"\+\+(-\d+)?$", os.path.basename(compiler)) is not None
    return "c++" if plus and any(source.endswith(".c") for source in sources) else ""


def _archive(command: Command) -> Recognised:
    paths = [os.path.join(command.folder, w) for w in command.words[1:] if w.endswith((".a", ".o"))]
    if len(paths) < 2:
        return Recognised(command, None, "it makes no archive of objects")
    paths = [os.path.normpath(path) for path in paths]
    return Recognised(command, Archive(paths[0], tuple(paths[1:])))


def _link(command: Command) -> Recognised:
    words = read_compile_words(command.words[1:], command.folder)
    if "-r" not in command.words and "-Ur" not in command.words:
        return Recognised(command, None, "cores are linked by npuninja")
    return Recognised(command, Archive(words.output, tuple(words.objects)))


def _python(command: Command) -> Recognised:
    words = list(command.words[1:])
    while words and words[0].startswith("-") and words[0] not in ("-c", "-m"):
        del words[: 2 if words[0] in ("-X", "-W") else 1]
    module = ""
    if not words or words[0] in ("-c", "-m"):
        module = words[1] if len(words) > 1 else ""
        if words[:1] == ["-m"] and module.startswith("aie.compiler.aiecc"):
            return _aiecc(Command((module, *words[2:]), command.folder, "", (), command.line))
        file = _file_of_module(module, command) if words[:1] == ["-m"] else ""
        if not file:
            what = (
                f"the module {module} is not in this folder"
                if words[:1] == ["-m"]
                else "it runs a piece of Python"
            )
            return Recognised(command, None, what)
        words = [file, *words[2:]]
    if re.fullmatch(r"aiecc(?:\.py)?", os.path.basename(words[0])):  # the driver itself, by its path
        return _aiecc(replace(command, words=tuple(words)))
    script = os.path.normpath(os.path.join(command.folder, words[0]))
    outputs = {}
    for position, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in _SCRIPT_OUTPUTS:
            value = value if equals else (words[position + 1] if position + 1 < len(words) else "")
            outputs[_SCRIPT_OUTPUTS[name]] = os.path.normpath(os.path.join(command.folder, value))
    if command.stdout.endswith(".mlir") or "xclbin" in outputs:
        mlir = command.stdout if command.stdout.endswith(".mlir") else ""
        found = DesignScript(script, tuple(words[1:]), command.folder, mlir, tuple(outputs.items()), module)
        return Recognised(command, found)
    written = _mlir_argument(words[1:])
    if written:
        path = os.path.normpath(os.path.join(command.folder, written))
        return Recognised(command, DesignScript(script, tuple(words[1:]), command.folder, path, (), module))
    if re.search(_TRACE_READERS, script):
        return Recognised(command, None, "it reads a trace, as npuninja trace --run NAME does")
    found_run = HostRun(
        script,
        tuple(words[1:]),
        command.folder,
        command.environment,
        module,
        command.device,
        command.output_has,
    )
    return Recognised(command, found_run)


def _file_of_module(module: str, command: Command) -> str:
    """The file of a module that Python would find: in the command's folder, or where its PYTHONPATH says."""
    searched = [command.folder, *dict(command.environment).get("PYTHONPATH", "").split(os.pathsep)]
    for folder in searched:
        # The folder of the command may be one that the build makes.
        base = os.path.normpath(os.path.join(command.folder, folder, *module.split(".")))
        for path in (f"{base}.py", os.path.join(base, "__main__.py")):
            if folder and module and os.path.isfile(path):
                return path
    return ""


def _mlir_argument(words: Sequence[str]) -> str:
    """The value of `-o X.mlir` or `--output X.mlir`."""
    for position, value in enumerate(words[1:]):
        if words[position] in ("-o", "--output") and value.endswith(".mlir"):
            return value
    return ""


def _aiecc(command: Command) -> Recognised:
    found = read_aiecc_words(command.words[1:], command.folder)
    if not found.mlir:
        return Recognised(command, None, "it names no design")
    own_host = any(re.match(r"--host-target[= ]?x86_64", word) for word in command.words)
    if any(word.partition("=")[0] in _OTHER_HOSTS for word in command.words) and not own_host:
        return Recognised(command, None, "it is for the host of another device than an NPU")
    return Recognised(command, found)


def _aie_translate(command: Command) -> Recognised:
    """`aie-translate --aie-npu-to-binary` of the transaction that aiecc was asked for: the configuration as a sequence."""
    words, sources = read_compile_words(command.words[1:], command.folder), _modules(command)
    if "npu-to-cpp" in " ".join(command.words):
        return Recognised(
            command,
            None,
            "sequences with values of run time are C++ of MLIR-AIE, which npuninja does not write",
        )
    if "npu-to-binary" not in " ".join(command.words) or not sources or not words.output:
        return Recognised(
            command, None, "of aie-translate, npuninja takes over what makes a transaction binary"
        )
    return Recognised(command, Copy(sources[0], words.output))


def _modules(command: Command) -> list[str]:
    """The files of MLIR among a command's words."""
    files = (word for word in command.words[1:] if word.endswith(".mlir") and not word.startswith("-"))
    return [os.path.normpath(os.path.join(command.folder, file)) for file in files]


def _xclbinutil(command: Command) -> Recognised:
    makes = any(word.startswith(("--add", "--output", "-o")) for word in command.words)
    return Recognised(
        command, None, "npuninja packs XCLBINs itself, of what its stages make" if makes else ""
    )


def _aie_opt(command: Command) -> Recognised:
    """`aie-opt` with the control overlay, which a design has as a flag; other passes are npuninja's own business."""
    words = read_compile_words(command.words[1:], command.folder)
    passes = [word for word in command.words[1:] if word.lstrip("-").startswith(_OVERLAY)]
    source = next((path for path in _modules(command) if path != words.output), "")
    if not passes or not source or not words.output or "route-shim-to-tile-ctrl=true" not in passes[0]:
        return Recognised(command, None, "of aie-opt, npuninja takes over the overlay for control packets")
    return Recognised(
        command, ReplacedWords(source, words.output, (), ("--generate-ctrl-pkt-overlay=first",))
    )


def _cmake(command: Command) -> Recognised:
    words, environment = list(command.words[1:]), list(command.environment)
    if words[:2] == ["-E", "env"]:
        words = words[2:]
        while words and "=" in words[0] and not words[0].startswith("-"):
            name, _, value = words.pop(0).partition("=")
            environment.append((name, value))
        words = words[1:]
    elif words[:1] == ["-E"]:
        return Recognised(command, None)
    if "--build" in words or "--install" in words:
        return Recognised(command, None)
    variables, source, build, position = [], "", command.folder, 0
    while position < len(words):
        word = words[position]
        position += 1
        if word in ("-D", "-S", "-B", "-G", "-H") and position < len(words):
            word += words[position]
            position += 1
        if word.startswith("-D"):
            variables.append(word[2:])
        elif word.startswith(("-S", "-H")):
            source = word[2:]
        elif word.startswith("-B"):
            build = os.path.normpath(os.path.join(command.folder, word[2:]))
        elif not word.startswith("-"):
            source = source or word
    if not source:
        return Recognised(command, None, "it names no CMake project")
    source = os.path.normpath(os.path.join(command.folder, source))
    return Recognised(command, CMakeBuild(source, build, tuple(variables), tuple(environment)))


def _copy(command: Command) -> Recognised:
    paths = [os.path.normpath(os.path.join(command.folder, w)) for w in command.words[1:] if w[:1] != "-"]
    if len(paths) != 2:
        return Recognised(command, None, "it copies several files")
    return Recognised(command, Copy(paths[0], paths[1]))


def _jupyter(command: Command) -> Recognised:
    """`jupyter nbconvert`: a notebook as a script, or run; `jupyter execute`."""
    files = [word for word in command.words[1:] if word.endswith(".ipynb")]
    options = dict(_options(command.words[1:]))
    if len(files) != 1:
        return Recognised(command, None, "it names no notebook, or several")
    notebook = os.path.normpath(os.path.join(command.folder, files[0]))
    if "execute" in command.words[1:2] or "--execute" in command.words:
        return Recognised(command, HostRun(notebook, (), command.folder, command.environment))
    if options.get("--to") not in ("script", "python"):
        return Recognised(command, None, "it makes nothing that is run")
    stem = os.path.splitext(os.path.basename(notebook))[0]
    name = os.path.splitext(options.get("--output", stem))[0] + ".py"
    folder = os.path.join(command.folder, options.get("--output-dir", os.path.dirname(notebook)))
    return Recognised(command, Copy(notebook, os.path.normpath(os.path.join(folder, name))))


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """`--NAME VALUE` and `--NAME=VALUE`."""
    for word, after in zip(words, (*words[1:], "")):
        name, equals, value = word.partition("=")
        if name.startswith("--"):
            yield name, value if equals else after


def _sed(command: Command) -> Recognised:
    found = read_sed_words(command)
    return Recognised(command, None, found) if isinstance(found, str) else Recognised(command, found)


def _run(command: Command) -> Recognised:
    if command.words[0].endswith(".py"):  # a script whose first line names Python
        return _python(replace(command, words=("python3", *command.words)))
    program = os.path.normpath(os.path.join(command.folder, command.words[0]))
    found = HostRun(
        program,
        command.words[1:],
        command.folder,
        command.environment,
        "",
        command.device,
        command.output_has,
    )
    return Recognised(command, found)


def _sudo(command: Command) -> Recognised:
    rest = replace(command, words=command.words[1:])
    return _recognise(rest) if rest.words else Recognised(command, None)


_PROGRAMS: tuple[tuple[str, Callable[[Command], Recognised]], ...] = (
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
    (r"sed", _sed),
    (r"jupyter|jupyter-nbconvert", _jupyter),
    (r"sudo|time|env", _sudo),
)
