"""Every stage of a build, declared once; every other module reads the facts of a stage here.

From a row follow the rules of build.ninja (`npuninja.emit.stage_rules`), the statements for every design
(`npuninja.plan.steps`), what the stage's command line takes and its `--help` (`stage_arguments`), which
stages share a process (`npuninja.plan.batch`), which may run on another machine, what `--provider` may name,
and the tables of docs/architecture.md and docs/providers.md.

A stage is a module of this folder with `run(arguments)`. A new one is a row here and that module: with
`scope` "design" it is made for every design from the files that it reads. A new provider is a `Provider` in
its stage's row and, unless it only adds words to the command line, a module. See CONTRIBUTING.md.

Rows are in the order of planning. Stage processes load this module, so it imports nothing but the records.
"""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.records import replace
from npuninja.stages.declaration import Option, Provider, Stage

if TYPE_CHECKING:
    from typing import Any, Iterator

SHORT = Provider("npuninja", short=True)
BY_AIEBU = Provider(
    "aiebu-asm",
    ("aiebu-asm",),
    vendor=True,
    identity="aiebu_asm",
    words="--aiebu-asm $aiebu_asm",
    short=True,
)
AIE_OPT = Provider(
    "aie-opt",
    ("aie-opt",),
    vendor=True,
    identity="aie_opt",
    words="--aie-opt $aie_opt",
    remote="passes of MLIR-AIE",
)
AIE_TRANSLATE = Provider(
    "aie-translate",
    ("aie-translate", "aie-opt"),
    vendor=True,
    identity="aie_translate",
    words="--aie-translate $aie_translate",
)
PEANO = Provider("peano", ("peano",), vendor=True, cores="npu", identity="peano")
# Both put their words into the same variables, so they have one rule.
ZIGLANG = Provider("ziglang", ("ziglang",), cores="wasm", identity="wasm_compiler")
# Real cores with what comes with npuninja (npuninja/aie2_compiler); kernel, core code and link go together.
NPUNINJA_AIE2 = Provider(
    "npuninja-aie2",
    ("ziglang",),
    cores="npu",
    identity="wasm_compiler",
    words="$wasm_compiler $compile_options $warning_options",
    remote="a compiler",
    label="unoptimised, not yet run on an NPU",
)
CLANG = Provider("clang", ("clang", "wasm-ld"), cores="wasm", identity="wasm_compiler")

DEVICE = Option("--device", "NAME", "device")
SYMBOL = Option("--device-symbol", "D", "device_symbol", needed=True)
SEQUENCE = Option("--sequence", "S", "sequence", needed=True)
CORE = Option("--core", "C,R", "core", needed=True)
KIND = Option("--kind", "K", "kind", needed=True)
BUFFERS = Option("--buffers", "N", "buffers")
KERNELS = Option("--kernel", "NAME=ID=BUFFERS[=INSTANCE[=PDI]]", "xclbin_kernels", many=True)
IMAGES = Option("--image", "C,R=FILE", "images", many=True)
WORDS = Option("--word", "W", "words", many=True)
GENERATION = Option("--generation", "G")
WERROR = Option("--werror")
BY_AIE_TRANSLATE = Option("--aie-translate", "EXE")
COMPILING = (
    Option("--compiler", "EXE", needed=True),
    Option("--compiler-word", "W", many=True),
    KIND,
    Option("--cache", "FOLDER"),
    Option("--prefix-map", "OLD=NEW", many=True),
    Option("--include", "FOLDER", many=True),
    Option("--launcher", "EXE"),
    Option("--architecture", "A", "architecture"),
    Option("--language", "L", "language"),
    Option("--float", "MODE", "float"),
    Option("--define", "NAME[=VALUE]", "defines", many=True),
    Option("--kernel-include", "FOLDER", "kernel_include", many=True),
    Option("--flag", "WORD", "flags", many=True),
    WERROR,
)
HOST_COMPILER = Option("--compiler", "EXE", "host_compiler")
MISSING = Option("--missing", "TEXT", "missing")
PACKED = (Option("--init", "F", "cdo_init", needed=True), Option("--enable", "F", "cdo_enable", needed=True))
CDO = ("cdo_elfs", "cdo_init", "cdo_enable")


def _compiling(warnings: str) -> tuple[Provider, ...]:
    """The providers that compile C and C++; `warnings`: words that make a user's warnings errors, or ""."""
    wasm = f"$wasm_compiler $compile_options{warnings}"
    return (
        replace(PEANO, words=f"--compiler $peano_clang $peano_options{warnings}", remote="a compiler"),
        replace(ZIGLANG, words=wasm, remote="a compiler"),
        replace(CLANG, words=wasm, remote="a compiler"),
    )


def _linking(**facts: Any) -> tuple[Provider, ...]:
    """The linkers for emulated cores."""
    return tuple(
        replace(by, tools=tools, identity="wasm_linker", **facts)
        for by, tools in ((ZIGLANG, ("ziglang",)), (CLANG, ("wasm-ld",)))
    )


STAGES: tuple[Stage, ...] = (
    Stage(
        "python",
        "PYTHON",
        "a design in Python to the MLIR that it prints",
        providers=(Provider("mlir-aie", ("mlir-aie-python",), vendor=True), Provider("npuninja")),
        choice="python",
        chosen="designs in Python to MLIR",
        driver="",
        planning=True,
    ),
    Stage(
        "kernel_cc",
        "CC",
        "a kernel's C or C++ source to an object file",
        reads=("kernel",),
        makes=("object",),
        options=COMPILING,
        providers=(*_compiling(" $warning_options"), replace(NPUNINJA_AIE2, module="kernel_cc_aie2")),
        scope="kernel",
        choice="kernel",
        chosen="kernels to objects",
        driver="",
        discovers="-o",
    ),
    Stage(
        "kernel_join",
        "JOIN",
        "several objects, and archives made elsewhere, to one object that a core is linked with",
        reads=("objects",),
        makes=("object",),
        options=(Option("--linker", "EXE", needed=True), Option("--linker-word", "W", many=True), KIND),
        providers=(
            replace(PEANO, words="--linker $peano_lld"),
            *_linking(words="$wasm_linker"),
            replace(NPUNINJA_AIE2, identity="python", words="", module="kernel_join_aie2", remote=""),
        ),
        follows="link",
        driver="",
    ),
    Stage(
        "kernel_join_aie2",
        "",
        "several objects, and archives made elsewhere, to one archive that a core is linked with",
        reads=("objects",),
        makes=("object",),
        options=(KIND,),
        providers=(),
    ),
    Stage(
        "spell",
        "SPELL",
        "a design in the spelling that the installed MLIR-AIE reads",
        reads=("design",),
        makes=("spelled",),
        options=(
            Option("--sequence-op", "NAME", "sequence_op", needed=True),
            Option("--allocation-has-tile", takes="allocation_has_tile"),
            Option("--functions-link", takes="functions_link"),
            Option("--numbers", "F", "values"),
        ),
        providers=(SHORT,),
        scope="design",
        when="sequence_op",
        driver="",
        instead_of="design",
    ),
    Stage(
        "lower",
        "LOWER",
        "a design's objectFifos to buffers, locks, descriptors and flows; ids, addresses, branches",
        reads=("design",),
        makes=("lowered",),
        options=(
            Option("--alloc-scheme", "S", "alloc_scheme"),
            replace(GENERATION, takes="generation"),
            Option("--packet-fifos", takes="packet_fifos"),
            Option("--dynamic-fifos", "true|false", "dynamic_fifos"),
            Option("--cores-per-column", "N", "cores_per_column"),
            Option("--control-overlay", "true|first", "control_overlay"),
            WERROR,
        ),
        providers=(
            replace(AIE_OPT, module="aie_opt"),
            replace(SHORT, words="$warning_options", remote="grows with the design"),
        ),
        scope="design",
        choice="lower",
        chosen="objectFifos, locks, addresses",
        driver="",
    ),
    Stage(
        "route",
        "ROUTE",
        "a lowered design's flows to stream switch settings",
        reads=("lowered",),
        makes=("physical",),
        options=(replace(GENERATION, takes="generation"), WERROR),
        providers=(
            replace(AIE_OPT, module="aie_opt"),
            replace(SHORT, words="$warning_options", remote="grows with the design"),
        ),
        scope="design",
        choice="route",
        chosen="stream switches",
    ),
    Stage(
        "aie_opt",
        "",
        "MLIR to MLIR by MLIR-AIE; which passes is in the words of the build file",
        reads=("MLIR",),
        makes=("MLIR",),
        options=(Option("--aie-opt", "EXE", needed=True), WORDS),
        providers=(),
    ),
    Stage(
        "sequence",
        "SEQUENCE",
        "a lowered design's runtime sequences to register writes, address patches and waits; "
        "and the arguments of each",
        reads=("lowered",),
        makes=("npu_insts", "arguments"),
        options=(
            replace(GENERATION, takes="generation"),
            replace(SYMBOL, many=True),
            replace(SEQUENCE, many=True),
            Option("--arguments", "FILE", "arguments", many=True, needed=True),
            Option("--aie-opt", "EXE"),
            WORDS,
            WERROR,
        ),
        providers=(AIE_OPT, replace(SHORT, words="$warning_options")),
        scope="design",
        choice="sequence",
        chosen="runtime sequence",
        driver="",
    ),
    Stage(
        "insts",
        "INSTS",
        "a lowered runtime sequence to the instructions that the NPU's firmware runs",
        reads=("npu_insts",),
        makes=("insts",),
        options=(
            replace(GENERATION, takes="generation"),
            SYMBOL,
            SEQUENCE,
            BY_AIE_TRANSLATE,
            WERROR,
        ),
        providers=(
            replace(AIE_TRANSLATE, words="--aie-translate $aie_translate $warning_options"),
            replace(SHORT, words="$warning_options"),
        ),
        scope="sequence",
        choice="insts",
        chosen="instructions of the sequence",
        wanted=True,
    ),
    Stage(
        "core_code",
        "CORE",
        "the body of one core to C, and what the later stages must know about it as JSON",
        reads=("lowered",),
        makes=("core_c", "core_info"),
        options=(
            SYMBOL,
            CORE,
            KIND,
            Option("--file-name", "F", "file_name", needed=True),
            Option("--info", "FILE", "core_info", needed=True),
        ),
        providers=(
            Provider(
                "peano",
                ("peano", "aie-opt", "aie-translate"),
                vendor=True,
                cores="npu",
                rule="core_llvm",
                identity="aie_opt",
                words="--aie-opt $aie_opt",
                module="aie_opt",
                makes=("core_mlir",),
                remote="passes of MLIR-AIE",
            ),
            SHORT,
        ),
        scope="core",
        choice="core",
        chosen="core code to objects",
    ),
    Stage(
        "core_cc",
        "CC",
        "the C of one core, as `core_code` writes it, to an object file",
        reads=("core_c",),
        makes=("core_object",),
        options=COMPILING,
        providers=(
            *_compiling(""),
            replace(NPUNINJA_AIE2, words="$wasm_compiler $compile_options", module="core_cc_aie2"),
        ),
        scope="core",
        follows="kernel",
        when="core=npuninja",
        discovers="-o",
    ),
    Stage(
        "core_ir",
        "IR",
        "LLVM's dialect of MLIR to LLVM IR, by aie-translate",
        reads=("core_mlir",),
        makes=("core_ll",),
        options=(Option("--aie-translate", "EXE", needed=True), WORDS),
        providers=(replace(AIE_TRANSLATE, rule="core_ir"),),
        scope="core",
        when="core=peano",
    ),
    Stage(
        "core_downgrade",
        "DOWNGRADE",
        "takes from LLVM IR what Peano, an older LLVM, does not read",
        reads=("core_ll",),
        makes=("core_peano_ll",),
        options=(Option("--edit", "NAME", "edits", many=True),),
        scope="core",
        when="core=peano",
    ),
    Stage(
        "core_opt",
        "OPT",
        "LLVM IR to better LLVM IR, by Peano's opt",
        reads=("core_peano_ll",),
        makes=("core_opt_ll",),
        options=(Option("--opt", "EXE", needed=True), WORDS),
        providers=(replace(PEANO, rule="core_opt", words="--opt $peano_opt", remote="an optimizer"),),
        scope="core",
        when="core=peano",
    ),
    Stage(
        "core_llc",
        "LLC",
        "the LLVM IR of one core to an object, by Peano's llc",
        reads=("core_opt_ll",),
        makes=("core_object",),
        options=(Option("--llc", "EXE", needed=True), WORDS, KIND),
        providers=(replace(PEANO, rule="core_llc", words="--llc $peano_llc", remote="a code generator"),),
        scope="core",
        when="core=peano",
    ),
    Stage(
        "ldscript",
        "LDSCRIPT",
        "the linker script of one core, for linking with Peano",
        reads=("lowered",),
        makes=("script",),
        options=(SYMBOL, CORE, BY_AIE_TRANSLATE),
        providers=(replace(AIE_TRANSLATE, cores="npu"), Provider("npuninja")),
        scope="core",
        choice="ldscript",
        chosen="linker scripts",
    ),
    Stage(
        "core_link",
        "LINK",
        "a core's object and its kernels' objects to a core image (a wasm module)",
        reads=("core_object", "objects"),
        makes=("core_wasm",),
        options=(
            Option("--linker", "EXE", needed=True),
            Option("--linker-word", "W", many=True),
            KIND,
            Option("--info", "FILE", "core_info", needed=True),
            CORE,
            WERROR,
        ),
        providers=(
            replace(
                PEANO,
                words="--clang $peano_clang $warning_options",
                module="core_link_peano",
                makes=("core_elf",),
                remote="a linker",
            ),
            *_linking(words="$wasm_linker $warning_options", short_alone=True, remote="a linker"),
            replace(NPUNINJA_AIE2, module="core_link_aie2", makes=("core_elf",)),
        ),
        scope="core",
        choice="link",
        chosen="core images",
    ),
    Stage(
        "core_link_aie2",
        "",
        "AIE2 objects made by npuninja-aie2 to an ELF that a core runs",
        reads=("core_object", "objects"),
        makes=("core_elf",),
        options=(
            *COMPILING,
            Option("--script", "FILE", "script", needed=True),
            Option("--info", "FILE", "core_info", needed=True),
            CORE,
        ),
        providers=(),
    ),
    Stage(
        "core_link_peano",
        "",
        "a core's object and its kernels' objects to an ELF that a core runs, by Peano's clang and lld",
        reads=("core_object", "objects"),
        makes=("core_elf",),
        options=(
            Option("--clang", "EXE", needed=True),
            WORDS,
            Option("--script", "FILE", "script", needed=True),
            KIND,
            WERROR,
        ),
        providers=(),
    ),
    Stage(
        "core_elfs",
        "ELFS",
        "puts the names of the cores' ELFs into a routed design",
        reads=("physical",),
        makes=("with_elfs",),
        options=(SYMBOL, IMAGES),
        providers=(SHORT,),
        scope="device",
        when="cdo=aie-translate",
    ),
    Stage(
        "cdo",
        "CDO",
        "a routed design and the images of its cores to the three configuration files",
        reads=("physical",),
        makes=CDO,
        options=(replace(DEVICE, needed=True), SYMBOL, IMAGES, *PACKED),
        providers=(
            replace(
                AIE_TRANSLATE,
                cores="npu",
                module="cdo_translate",
                reads=("with_elfs",),
                remote="grows with the programs",
            ),
            replace(SHORT, remote="grows with the programs"),
        ),
        scope="device",
        choice="cdo",
        chosen="configuration",
        also_reads=("core_images",),
    ),
    Stage(
        "cdo_translate",
        "",
        "a routed design with the names of its ELFs to the three configuration files, by aie-translate",
        reads=("with_elfs",),
        makes=CDO,
        options=(
            Option("--aie-translate", "EXE", needed=True),
            replace(DEVICE, needed=True),
            SYMBOL,
            IMAGES,
            *PACKED,
        ),
        providers=(),
    ),
    Stage(
        "bif",
        "BIF",
        "the file that tells bootgen what to pack; only the names of the files count",
        makes=("bif",),
        options=(Option("--cdo", "FILE", "cdo_names", many=True, needed=True),),
        scope="device",
        when="pdi=bootgen",
    ),
    Stage(
        "pdi",
        "PDI",
        "the three configuration files to a device image; with --image, every core's program must be loaded",
        reads=CDO,
        makes=("pdi",),
        options=(Option("--bootgen", "EXE"), Option("--bif", "NAME.bif", "bif"), DEVICE, IMAGES),
        providers=(
            Provider(
                "bootgen",
                ("bootgen",),
                vendor=True,
                identity="bootgen",
                words="--bootgen $bootgen",
                short=True,
            ),
            SHORT,
        ),
        scope="device",
        choice="pdi",
        chosen="device image",
        also_reads=("core_images",),
    ),
    Stage(
        "xclbin_json",
        "JSON",
        "what xclbinutil needs to know about device images",
        reads=("pdi",),
        makes=("partition", "kernels", "memories"),
        options=(
            replace(DEVICE, needed=True),
            BUFFERS,
            KERNELS,
            Option("--kernels", "F", "kernels", needed=True),
            Option("--memories", "F", "memories", needed=True),
        ),
        providers=(SHORT,),
        scope="design",
        when="xclbin=xclbinutil",
    ),
    Stage(
        "xclbin",
        "XCLBIN",
        "device images, and the modules of emulated cores, to the container that a runtime loads",
        reads=("pdi",),
        makes=("xclbin",),
        options=(
            replace(DEVICE, needed=True),
            BUFFERS,
            KERNELS,
            IMAGES,
            Option("--xclbinutil", "EXE"),
            Option("--partition", "F", "partition"),
            Option("--kernels", "F", "kernels"),
            Option("--memories", "F", "memories"),
            WERROR,
        ),
        providers=(
            Provider(
                "xclbinutil",
                ("xclbinutil",),
                vendor=True,
                identity="xclbinutil",
                words="--xclbinutil $xclbinutil $warning_options",
                short=True,
            ),
            replace(SHORT, words="$warning_options"),
        ),
        scope="design",
        choice="xclbin",
        chosen="container",
        also_reads=("core_images",),
        wanted=True,
    ),
    Stage(
        "host_cc",
        "HOSTCC",
        "a source of a host program, in C or C++, to an object",
        reads=("host_source",),
        makes=("host_object",),
        options=(
            HOST_COMPILER,
            MISSING,
            Option("--language", "L", "language"),
            Option("--define", "D", "defines", many=True),
            Option("--include", "FOLDER", "host_include", many=True),
            Option("--flag", "WORD", "flags", many=True),
            Option("--headers", "FOLDER", "headers", needed=True),
            Option("--xrt-include", "FOLDER", "xrt_include"),
        ),
        discovers="-o",
    ),
    Stage(
        "host_link",
        "HOSTLINK",
        "the objects of a host program and XRT's library to a program",
        reads=("host_objects",),
        makes=("host_program",),
        options=(
            HOST_COMPILER,
            MISSING,
            Option("--library", "NAME", "libraries", many=True),
            Option("--xrt-library", "FILE", "xrt_library"),
        ),
    ),
    Stage(
        "run_host",
        "RUN HOST",
        "a host program on the NPU, or on the emulated one; its exit code is the verdict",
        reads=("host_program",),
        options=(
            Option("--device", "NAME", "device", needed=True),
            Option("--module", "NAME"),
            Option("--script", "FILE"),
            Option("--as", "MODULE"),
            Option("--root", "FOLDER"),
            Option("--runner", "EXE"),
            Option("--folder", "FOLDER"),
            Option("--environment", "NAME=VALUE", many=True),
            Option("--links", "FOLDER"),
            Option("--file", "PATH=FILE", many=True),
            Option("--output-has", "TEXT", many=True),
            Option("--refused", "REASON"),
            Option("--time-limit", "S", needed=True),
        ),
        installed=True,
        pool="console",
        own_rule=True,
    ),
    Stage(
        "aiecc",
        "AIECC",
        "a whole design by MLIR-AIE's driver, in a folder of its own",
        reads=("design", "objects"),
        makes=("xclbin", "insts"),
        options=(
            Option("--identity", "WORD", "identities", many=True),
            replace(WORDS, needed=True),
            Option("--variable", "K=V", "variables", many=True),
            Option("--peano", "LLC", "peano", needed=True),
            Option("--xclbinutil", "EXE", "xclbinutil", needed=True),
            Option("--insts", "FILE", "insts", needed=True),
            Option("--made-xclbin", "F", "made_xclbin", needed=True),
            Option("--made-insts", "F", "made_insts", needed=True),
        ),
        providers=(
            Provider("stages", rule="stages"),
            Provider(
                "aiecc", ("aiecc", "peano", "xclbinutil"), vendor=True, cores="npu", rule="aiecc", identity=""
            ),
        ),
        scope="design",
        choice="design",
        chosen="what drives a design",
        driver="aiecc",
        wanted=True,
        pool="heavy",
    ),
    Stage(
        "reference",
        "REFERENCE",
        "the test vectors of a design, made by its NumPy reference: bytes of all inputs, of all outputs",
        reads=("reference_source",),
        makes=("vectors_in", "vectors_out"),
        options=(
            Option("--arguments", "FILE", "arguments", needed=True),
            Option("--kernel", "NAME", "kernel_name"),
            Option("--sequence", "NAME", "sequence_name"),
            Option("--seed", "N", "seed", needed=True),
            Option("--expected", "FILE", "vectors_out", needed=True),
        ),
        scope="sequence",
        when="reference_source",
        driver="",
        installed=True,
        discovers="-o",
    ),
    Stage(
        "control_packets",
        "CTRLPKT",
        "a device's configuration as control packets with the sequence that sends them, "
        "and as a sequence alone",
        reads=("insts",),
        makes=("ctrlpkt", "ctrlpkt_insts", "txn"),
        options=(
            replace(DEVICE, needed=True),
            Option("--elfs", "F", "cdo_elfs", needed=True),
            *PACKED,
            Option("--argument", "N", "buffers_of_sequence", needed=True),
            Option("--pdi", "N", "place_of_device", needed=True),
            Option("--sending", "F", "ctrlpkt_insts", needed=True),
            Option("--transaction", "F", "txn", needed=True),
        ),
        scope="sequence",
        when="reconfiguration",
        wanted=True,
    ),
    Stage(
        "ctrlpkt_elf",
        "CTRLPKT ELF",
        "a sequence that sends control packets, and these, as the ELF that XRT loads (xrt::elf)",
        reads=("ctrlpkt_insts",),
        makes=("ctrlpkt_elf",),
        options=(
            Option("--packets", "F", "ctrlpkt", needed=True),
            Option("--argument", "N", "buffers_of_sequence", needed=True),
            Option("--aiebu-asm", "EXE"),
        ),
        providers=(BY_AIEBU, SHORT),
        scope="sequence",
        follows="elf",
        when="reconfiguration",
        wanted=True,
    ),
    Stage(
        "insts_elf",
        "ELF",
        "an instruction stream as the ELF that XRT loads (xrt::elf)",
        reads=("insts",),
        makes=("insts_elf",),
        options=(Option("--aiebu-asm", "EXE"), Option("--if-possible")),
        providers=(
            replace(BY_AIEBU, words="--aiebu-asm $aiebu_asm --if-possible"),
            replace(SHORT, words="--if-possible"),
        ),
        scope="sequence",
        choice="elf",
        chosen="instructions as an ELF",
        driver="",
        wanted=True,
    ),
    Stage(
        "full_elf",
        "FULL ELF",
        "device images, instructions, and the modules of emulated cores, "
        "to the ELF of which XRT makes a context",
        reads=("pdi",),
        makes=("full_elf",),
        options=(
            replace(DEVICE, needed=True),
            Option("--number", "N", "pdi_numbers", many=True, needed=True),
            Option("--instance", "DEVICE:SEQUENCE", "instances", many=True, needed=True),
            Option("--insts", "F", "insts", many=True, needed=True),
            Option("--arguments", "FILE", "arguments", many=True, needed=True),
            IMAGES,
            Option("--elfs", "F", "cdo_elfs", many=True, when="expand_loads"),
            Option("--init", "F", "cdo_init", many=True, when="expand_loads"),
            Option("--enable", "F", "cdo_enable", many=True, when="expand_loads"),
            Option("--aiebu-asm", "EXE"),
        ),
        providers=(BY_AIEBU, SHORT),
        scope="design",
        follows="elf",
        when="full_elf_wanted",
        also_reads=("core_images",),
        wanted=True,
    ),
    Stage(
        "parameters",
        "PARAMETERS",
        "the scratchpad parameters of a lowered design, for the host program that writes them",
        reads=("lowered",),
        makes=("parameters",),
        scope="design",
        when="full_elf_wanted",
        driver="",
        wanted=True,
    ),
    Stage(
        "manifest",
        "MANIFEST",
        "what a runner must know of a built design, in addition to the XCLBIN; and a copy of the reference",
        reads=("lowered",),
        makes=("manifest", "reference"),
        options=(
            Option("--design", "NAME", "name", needed=True),
            replace(DEVICE, needed=True),
            KIND,
            Option("--run", "KERNEL=ID=SEQUENCE", "runs", many=True),
            Option("--arguments", "FILE", "arguments", many=True, needed=True),
            Option("--xclbin", "F", "xclbin", needed=True),
            Option("--insts", "F", "insts", many=True, needed=True),
            Option("--elf", "F", "insts_elf", many=True),
            Option("--full-elf", "F", "full_elf"),
            Option("--instance", "DEVICE:SEQUENCE", "instances", many=True),
            Option("--provider", "STAGE=PROVIDER=VERSION", "providers", many=True),
            Option("--reference", "F", "reference_source"),
            Option("--reference-copy", "F", "reference", when="reference_source"),
        ),
        providers=(SHORT,),
        scope="design",
        driver="",
        wanted=True,
        discovers="--reference",
    ),
    Stage(
        "check",
        "CHECK",
        "does a built design run to its end on the emulated array?",
        reads=("manifest",),
        makes=("check",),
        options=(Option("--inputs", "FILE", "vectors_in", many=True),),
        also_reads=("xclbin", "insts"),
        driver="",
        installed=True,
    ),
    Stage(
        "engine",
        "ENGINE",
        "the emulator's engine as a wasm module, for packages",
        makes=("engine",),
        providers=(Provider("npuninja", identity="wasm_compiler"),),
        installed=True,
        discovers="-o",
    ),
    Stage(
        "package",
        "PACKAGE",
        "the archive and the wheel of a build",
        reads=("package_plan", "graph"),
        makes=("archive", "wheel"),
        options=(Option("--wheel", "FILE", "wheel", needed=True), WERROR),
        providers=(Provider("npuninja", words="$warning_options"),),
        installed=True,
        discovers="-o",
    ),
    Stage(
        "install",
        "INSTALL",
        "the archive of a package unpacked below a prefix, and below the folder DESTDIR of the environment",
        reads=("archive",),
        options=(Option("--prefix", "FOLDER", "prefix", needed=True),),
        installed=True,
        own_rule=True,
    ),
    Stage(
        "faulty",
        "FAULTY",
        "a design that configure.py could not plan: says why, and fails; "
        "its arguments are files with the errors",
        own_rule=True,
    ),
    Stage(
        "verdict",
        "TEST",
        "runs and verifies a design for `ninja test`, as `npuninja run` does; "
        "the result is `verdict.json` beside it",
        reads=("manifest",),
        installed=True,
        own_rule=True,
    ),
    Stage(
        "verdicts",
        "VERDICTS",
        "the table of all verdicts, and JUnit XML; fails unless all are right",
        options=(
            Option("--of", "NAME=RESULT", many=True),
            Option("--faulty", "NAME=ERROR", many=True),
            Option("--junit", "FILE", needed=True),
        ),
        own_rule=True,
    ),
    Stage(
        "batch",
        "",
        "several stages in one process: `-o OUTPUT… --then STAGE ARGUMENT… [--then STAGE ARGUMENT…]…`",
        providers=(Provider("npuninja", remote="several stages for one answer"),),
        own_rule=True,
        discovers="-o",
    ),
    Stage(
        "run",
        "RUN",
        "a built design on a device; takes what `npuninja run` takes",
        reads=("manifest",),
        providers=(
            Provider(
                "pyxrt",
                ("pyxrt",),
                vendor=True,
                cores="npu",
                rule="run",
                unasked="where a design runs is not decided by configure: the runner takes an NPU by itself "
                "when there is one; `npuninja run --require npu` insists on it",
            ),
            Provider("emulator", cores="wasm", rule="run"),
        ),
        choice="run",
        chosen="execution",
        driver="",
        installed=True,
        own_rule=True,
    ),
)


def stage(name: str) -> Stage:
    """The row of a stage; for a provider's module without one, that of its stage. Raises KeyError."""
    for row in STAGES:
        if row.name == name:
            return row
    for row in STAGES:
        if any(provider.module == name for provider in row.providers):
            return replace(row, name=name)
    raise KeyError(name)


def choices() -> dict[str, Stage]:
    """What `--provider` may choose: name -> the stage whose providers these are, in the table's order."""
    return {row.choice: row for row in STAGES if row.choice}


def module_of(row: Stage, provider: Provider) -> Stage:
    """The row that says what the command line of a provider takes."""
    if not provider.module:
        return row
    return next(
        (other for other in STAGES if other.name == provider.module), replace(row, name=provider.module)
    )


def rule_name(row: Stage, provider: Provider) -> str:
    """The rule by which a provider does a stage: `pdi`, `pdi_bootgen`."""
    if provider.rule:
        return provider.rule
    return f"{row.name}_{provider.name.replace('-', '_')}" if provider.vendor or provider.module else row.name


def rules() -> Iterator[tuple[str, Stage, Provider]]:
    """Every rule that follows from the table, once."""
    seen = set()
    for row in STAGES:
        for provider in () if row.planning else row.providers:
            name = rule_name(row, provider)
            if name not in seen and name != "stages":
                seen.add(name)
                yield name, row, provider


def digested_stages() -> tuple[str, ...]:
    """The stages whose commands say what modules they consist of: those with a rule of the common form."""
    return tuple(
        dict.fromkeys(module_of(row, provider).name for _, row, provider in rules() if not row.own_rule)
    )


def modules_variable(stage: str) -> str:
    """The variable of build.ninja that has `--modules DIGEST` of a stage's module."""
    return f"{stage}_modules"
