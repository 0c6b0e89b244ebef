"""Every section and key of toolchain.toml: type, meaning, allowed values, an example, said only here."""

from __future__ import annotations

from npuninja.arch.families import DEFAULT, FAMILIES
from npuninja.detect.machine import HOST_TOOLS, TOOLS
from npuninja.kernel_headers import FLOAT_MODES
from npuninja.lowering.generation import CHOICES
from npuninja.lowering.resources.allocation_schemes import SCHEMES
from npuninja.plan.providers import STAGES, choices_of, why_unasked
from npuninja.records import NamedTuple

LANGUAGES = (
    *("c", *(f"{start}{year}" for start in ("c", "gnu") for year in ("99", "11", "17", "2x", "23"))),
    *(
        "c++",
        *(
            f"{start}{year}"
            for start in ("c++", "gnu++")
            for year in ("11", "14", "17", "2a", "20", "2b", "23")
        ),
    ),
)

#: What a run on the emulated array can be checked for (docs/checks.md).
CHECKS = ("races", "memory")

# How a value is written, in words for people.
KINDS = {
    "text": "a string",
    "texts": "a list of strings",
    "path": "a path",
    "paths": "a list of paths",
    "boolean": "true or false",
    "seconds": "a number above 0",
    "count": "a whole number, 0 or more",
    "tool": "a path, or false",
    "day": "a day as 2025-10-06",
    "names": "a string or a list of strings",
}


class Key(NamedTuple):
    """One key.

    Attributes:
        name: as it is written.
        kind: a key of `KINDS`.
        meaning: a sentence or two for people.
        example: a value as it is written in TOML.
        allowed: the only values there are; () for any.
        required: whether its section is nothing without it.
        hint: what helps with a value that is not allowed.
    """

    name: str
    kind: str
    meaning: str
    example: str
    allowed: tuple[str, ...] = ()
    required: bool = False
    hint: str = ""


class Section(NamedTuple):
    """One section.

    Attributes:
        name: as it is written; "" for the keys above all sections.
        meaning: a sentence or two.
        keys: in the order of the reference page.
        named: what the names below it are (`OBJECT.o`): a table for each; "" for one table only.
        many: "no", "yes" (`[[name]]` only), or "may" (a name may be given several times).
        example_name: of a section that is `named`.
    """

    name: str
    meaning: str
    keys: tuple[Key, ...]
    named: str = ""
    many: str = "no"
    example_name: str = ""

    def key(self, name: str) -> Key | None:
        """The key of that name."""
        return next((key for key in self.keys if key.name == name), None)


def _compile_keys(what: str) -> tuple[Key, ...]:
    return (
        Key("defines", "texts", f"Macros of {what}: `NAME` or `NAME=VALUE`.", '["DIM_M=64", "i16_i32_ONLY"]'),
        Key(
            "include",
            "paths",
            "Folders for `#include`, in this order, before the compiler's own. `$MLIR_AIE`, "
            "`$PEANO`, `$XRT` are the installations that configure found; any other `$NAME` is a "
            "variable of the environment.",
            '["include", "$MLIR_AIE/include"]',
        ),
        Key(
            "flags",
            "texts",
            "Further words for the compiler, after the build's own, so that they win. "
            "Target, input, output and depfile are the build's.",
            '["-O3"]',
        ),
        Key(
            "language",
            "text",
            "The language and its standard, whatever the file's suffix: "
            'a `.c` file with a bare `extern "C"` is `c++`.',
            '"c++20"',
            LANGUAGES,
        ),
    )


_DESIGNS_ONLY = Key(
    "designs", "texts", "Only for these designs; without it for all that name it.", '["gemm_64"]'
)

GENERAL = Section(
    "",
    "Keys above all sections.",
    (
        Key(
            "npuninja",
            "text",
            "The versions of npuninja that this project can be built with; another one is refused.",
            '">=0.1"',
        ),
        Key(
            "generation",
            "text",
            "The generation of the MLIR dialect that designs are lowered as. `auto`: "
            "what the text of each says.",
            '"auto"',
            CHOICES,
        ),
    ),
)

TOOLS_SECTION = Section(
    "tools",
    "Where tools are. A tool that is named here is looked for there and nowhere else, and must be there; "
    "`false`: it is not used. Without an entry its usual places are searched.",
    tuple(
        Key(tool.name, "tool", f"Needed to {tool.purpose}.", example)
        for tool, example in zip(
            (*TOOLS, *HOST_TOOLS),
            (
                '"/usr/bin/ninja"',
                '"/opt/zig/zig"',
                '"/usr/bin/clang-19"',
                '"/usr/bin/wasm-ld-19"',
                '"/opt/llvm-aie"',
                '"/opt/mlir_aie"',
                '"/opt/mlir_aie"',
                '"/opt/mlir_aie"',
                '"/opt/mlir_aie"',
                '"/usr/bin/bootgen"',
                '"/opt/xilinx/xrt"',
                '"/opt/aiebu"',
                '"/opt/xilinx/xrt/python/pyxrt.cpython-312-x86_64-linux-gnu.so"',
                '"/usr/bin/g++-13"',
                '"/opt/xilinx/xrt/lib/libxrt_coreutil.so"',
            ),
        )
    ),
)

PROVIDERS_SECTION = Section(
    "providers",
    "The provider of each stage, as `--provider STAGE=…` on the command line, which wins.",
    tuple(
        Key(
            stage,
            "text",
            f"Stage {stage}: {row.chosen}."
            if stage != "design"
            else "What drives a design: an edge for each stage, "
            "or MLIR-AIE's own driver for the whole of it.",
            f'"{choices_of(stage)[-1]}"',
            choices_of(stage),
            hint=why_unasked(stage),
        )
        for stage, row in STAGES.items()
    ),
)

DENY = Section(
    "deny",
    "Versions that are known to be bad: a tool whose version begins with `versions`, and is of the days "
    "`since` to `until`, is not used. One of the three is enough.",
    (
        Key("tool", "text", "The tool.", '"peano"', tuple(tool.name for tool in TOOLS), required=True),
        Key("versions", "text", "How these versions begin.", '"19."'),
        Key("since", "day", "The first day.", '"2025-05-01"'),
        Key("until", "day", "The last day.", '"2025-05-31"'),
        Key("effect", "text", "What goes wrong.", '"wrong results at -O2"'),
        Key("see", "text", "Where that is reported.", '"https://github.com/Xilinx/llvm-aie/issues/1053"'),
    ),
    many="yes",
)

KERNEL = Section(
    "kernel",
    "How a kernel's object is built. The name is the one that `link_with` says; `*` and `?` stand for other "
    "characters, and what fits several is put together, the most general first. Without a section `X.o` is "
    "made from the one `X.c`, `X.cc`, "
    '`X.cpp` or `X.cxx` below kernels/, in `kernels/DESIGN/` first. `[[kernel."X.o"]]`, given several times, '
    "makes one object in several ways for several designs.",
    (
        Key(
            "sources",
            "paths",
            "What it is made of: C and C++ files, and objects (`.o`), archives (`.a`) and assembly (`.s`, "
            "for Peano) made elsewhere, or the name of another `[kernel]`. Several become one object.",
            '["kernels/mm/mm.cc"]',
        ),
        *_compile_keys("the preprocessor"),
        _DESIGNS_ONLY,
        Key(
            "float",
            "text",
            "How embedded cores compute with bfloat16 and accumulators: `exact`, bit for bit as the NPU "
            "where that is known, or `fast`, in plain float32, which rounds differently.",
            '"exact"',
            FLOAT_MODES,
        ),
    ),
    named="OBJECT.o",
    many="may",
    example_name='"mm_64.o"',
)

DESIGN = Section(
    "design",
    "About one design.",
    (
        Key(
            "source",
            "path",
            "Its file, when it is not `mlir/NAME.mlir` or `mlir/NAME.py`; "
            "several designs may have one source.",
            '"designs/gemm/gemm.py"',
        ),
        Key(
            "arguments",
            "texts",
            "The command line of a design in Python.",
            '["-d", "npu", "-M", "512"]',
        ),
        Key(
            "folder",
            "path",
            "Where a source in Python is run, when it is not the project: "
            "it may read files by their names there.",
            '"designs/gemm"',
        ),
        Key(
            "module",
            "text",
            "The name of a source in Python as a module, when it is run as `python -m NAME`, "
            "so that it finds its package.",
            '"gemm.design"',
        ),
        Key(
            "replace",
            "texts",
            "Words that other texts take the place of before a source in MLIR is read, as `sed "
            "s/WORD/TEXT/g` does it: MLIR-AIE's own tests have `aie.device(NPUDEVICE)`.",
            '["NPUDEVICE=npu1_1col"]',
        ),
        Key("generation", "text", "The generation of its dialect.", '"2026-02"', CHOICES),
        Key(
            "alloc-scheme",
            "text",
            "How buffers are placed in memory.",
            '"bank-aware"',
            SCHEMES,
        ),
        Key(
            "aiecc-flags",
            "texts",
            "Flags of MLIR-AIE's driver that decide how it is lowered: `--alloc-scheme=S`, "
            "`--dynamic-objFifos[=BOOL]`, `--packet-sw-objFifos`, `--cores-per-col=N`, "
            "`--expand-load-pdis`. They come after those that a design under `@iron.jit` says. Without "
            "`--dynamic-objFifos` cores of 2026-08 keep the loops in which they take objects, and older "
            "ones are unrolled, as the driver of each does.",
            '["--dynamic-objFifos"]',
        ),
        Key(
            "devices",
            "texts",
            "Which devices of its module are built, as aiecc's `--device-name` chooses one; those that "
            "their sequences load are built with them. Without it: all.",
            '["main"]',
        ),
        Key(
            "kernels",
            "texts",
            "What the XCLBIN calls the kernels of its devices: `DEVICE=KERNEL[:INSTANCE[:ID]]`, as aiecc's "
            "`--xclbin-kernel-name` and its like. A device without a name is `main`.",
            '["add=ADDONE:ADDONEINST:0x901"]',
        ),
        Key(
            "reconfiguration",
            "boolean",
            "Whether the configuration of each device is also made as control packets with the sequence "
            "that sends them (`{ctrlpkt}`, `{ctrlpkt_insts}`), and as a sequence alone (`{txn}`), for host "
            "programs that load one over another.",
            "true",
        ),
        Key(
            "full-elf",
            "boolean",
            "Whether configurations, instructions and kernels are also made as one ELF (`{full_elf}`), "
            "as aiecc's `--get-full-elf`, for host programs that make a context of it; and "
            "`{parameters}`, its params.txt.",
            "true",
        ),
        Key(
            "reference",
            "path",
            "Its NumPy reference, when it is not `host/NAME.py`.",
            '"tests/gemm_reference.py"',
        ),
    ),
    named="NAME",
    example_name="gemm_64",
)

HOST = Section(
    "host",
    "About one host program, `host/NAME.cpp` or another source.",
    (
        Key("sources", "paths", "What it is made of.", '["host/test.cpp"]'),
        *_compile_keys("the preprocessor"),
        Key(
            "libraries",
            "texts",
            "Libraries to link with: names without `lib` and suffix, or paths of files (with a `/`).",
            '["boost_program_options"]',
        ),
        Key(
            "arguments",
            "texts",
            "Its command line. `{xclbin}`, `{insts}`, `{elf}`, `{lowered}` (with addresses) and "
            "`{manifest}` are files of its first design, `{DESIGN.xclbin}` and so on those of another one.",
            '["-x", "{xclbin}", "-i", "{insts}", "-k", "MLIR_AIE"]',
        ),
        Key("time-limit-s", "seconds", "Seconds after which it is ended; 300 when it is not said.", "60"),
        Key("environment", "texts", "Variables of its environment, `NAME=VALUE`.", '["XRT_TIMEOUT=1"]'),
        Key("folder", "path", "Where it is run.", '"host"'),
        Key(
            "files",
            "texts",
            "Files that the program names itself, `PATH={xclbin}`: it is run in a folder of the build that "
            "has them, and links to what is in `folder`.",
            '["build/final.xclbin={xclbin}"]',
        ),
        Key(
            "device",
            "text",
            "The NPU that is emulated for a program that names no design of the project; "
            f"`{DEFAULT}` when it is not said.",
            '"npu2"',
            tuple(FAMILIES),
        ),
        Key(
            "refused",
            "text",
            "Why it cannot be built or run on this machine, as `npuninja import` found: "
            "running it says so and fails.",
            '"CMake does not find the package OpenCV"',
        ),
        Key(
            "output-has",
            "texts",
            "Texts that lines of its output must have, in this order, in addition to its exit code.",
            '["PASS!"]',
        ),
        Key(
            "module",
            "text",
            "The name as which a Python script is run, as `python -m` does.",
            '"package.test"',
        ),
        _DESIGNS_ONLY,
    ),
    named="NAME",
    example_name="test",
)

PACKAGE = Section(
    "package",
    "What `ninja package` calls the designs together (docs/packaging.md).",
    (
        Key("name", "text", "Its name.", '"my-designs"'),
        Key("version", "text", "Its version.", '"1.0.0"'),
        Key("summary", "text", "What the designs do, in a sentence.", '"What they do."'),
        Key("license", "text", "An expression of SPDX.", '"Apache-2.0"'),
        Key(
            "license-files",
            "texts",
            "Without it: LICENSE*, LICENCE*, COPYING*, NOTICE* at the top of the project.",
            '["LICENSE"]',
        ),
    ),
)

# The options of configure.py that can be in a file, with the option's name.
OPTION_KEYS: tuple[Key, ...] = (
    Key("device", "text", "Only the designs for this device.", '"npu1_1col"'),
    Key(
        "retarget",
        "text",
        "The device that designs are built for in place of their own: `npu2` for designs written for "
        "`npu1`, with as many columns as they have.",
        '"npu2"',
    ),
    Key("designs", "texts", "Only these designs.", '["passthrough"]'),
    Key("generator", "text", "What runs the build.", '"ninja"', ("ninja", "make")),
    Key("werror", "boolean", "Warnings about designs and kernels are errors.", "true"),
    Key("check", "boolean", "Each design is also run on the emulated array while it is built.", "true"),
    Key(
        "checks",
        "texts",
        "What `ninja test` looks for in addition to wrong results on the emulated array; `[]`: nothing. "
        "Without it both.",
        '["races", "memory"]',
        CHECKS,
    ),
    Key("schedules", "count", "How many more orders of turns `ninja test` runs each design in.", "10"),
    Key("seeds", "count", "How many seeds `ninja test` makes inputs of.", "3"),
    Key("separate-stages", "boolean", "A process for each stage.", "false"),
    Key("launcher", "text", "A program in front of compilers.", '"ccache"'),
    Key("remote", "text", "The address of a service that runs stages elsewhere.", '"http://build:8980"'),
    Key("prefix", "path", "Where `ninja install` puts the designs.", '"/usr/local"'),
    Key("define", "texts", "Macros of every kernel.", '["NDEBUG"]'),
    Key("include", "paths", "Folders for `#include` of every kernel.", '["include"]'),
)

CONFIGURE = Section(
    "configure",
    "Options of configure.py that hold when the command line does not say otherwise.",
    OPTION_KEYS,
)

PRESET = Section(
    "preset",
    "Settings under one name: `configure.py --preset NAME`. "
    "A preset may have every key of `[configure]` and, below it, every "
    'section of this file (`[preset.NAME.kernel."X.o"]`, `[preset.NAME.providers]`, …): '
    "they are laid over the rest of "
    "the file. The command line wins.",
    (
        Key("inherit", "names", "Presets that this one is laid over, the first the lowest.", '["base"]'),
        *GENERAL.keys,
        *OPTION_KEYS,
    ),
    named="NAME",
    example_name="reference",
)

SECTIONS: tuple[Section, ...] = (
    GENERAL,
    TOOLS_SECTION,
    PROVIDERS_SECTION,
    KERNEL,
    DESIGN,
    HOST,
    CONFIGURE,
    PRESET,
    DENY,
    PACKAGE,
)
#: What a preset may hold as tables of its own.
IN_PRESETS = tuple(s for s in SECTIONS if s.name not in ("", "configure", "preset"))
