"""What a stage's declaration is made of: options, providers, files; and the help that follows from it."""

from __future__ import annotations

from npuninja.records import record


@record(frozen=True)
class Option:
    """An option of a stage's command line.

    `takes` names what the planner gives it: a file of `FILES`, or a fact about the design (`plan/facts.py`).
    An option without `takes` is given by the rule, or by a person. One whose file or fact a design does not
    have is left out.
    """

    word: str
    value: str = ""  # how help shows what follows the word; "" for a flag
    takes: str = ""
    many: bool = False
    needed: bool = False
    when: str = ""  # a file or fact without which it is left out too


@record(frozen=True)
class Provider:
    """One way to do a stage.

    Attributes:
        name: as `--provider STAGE=NAME` says it.
        tools: those of `npuninja.detect` that must have proved themselves; the first gives path and version.
        vendor: whether it is a tool of the vendor's flow: what the word `real` means, and `auto` prefers.
        cores: the kind of cores whose programs it makes or reads: "wasm" (emulated) or "npu"; "" for either.
        rule: the rule's name; "" for the stage's name, followed by the provider's when it is real.
        identity: the variable whose `_identity` keys the command.
        words: what the rule says between identity and `$options`.
        module: the module that does it; "" for that of the stage.
        reads, makes: instead of those of the stage.
        short: whether the stage is shorter than the start of a process, so that it may share one.
        short_alone: the same where the design has one file of that kind: nothing else can be done meanwhile.
        remote: why it is worth asking another machine; "" when it is not.
        label: what must be known of its results wherever it is named; "" for nothing.
        unasked: why nobody can ask for it; "" when one can.
    """

    name: str
    tools: tuple[str, ...] = ()
    vendor: bool = False
    cores: str = ""
    rule: str = ""
    identity: str = "python"
    words: str = ""
    module: str = ""
    reads: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    short: bool = False
    short_alone: bool = False
    remote: str = ""
    label: str = ""
    unasked: str = ""


@record(frozen=True)
class Stage:
    """A stage: what it does, what its command line takes, which providers can do it.

    Attributes:
        name: its module, and its rule.
        label: what Ninja shows while it runs.
        does: what it does, for help and docs: the end of "Stage NAME: …".
        reads: files of `FILES` on its command line, in order.
        makes: files of `FILES`; the first is `-o`, the others have options that take them.
        options: beyond `-o`, `--depfile`, `--modules` and `--identity`, which every stage takes.
        providers: () for a module that only other stages' providers use.
        scope: for what it is planned: "design", "device" (each `aie.device`), "sequence" (each runtime
            sequence), "core", "kernel" (each object of a core); "" when a recipe asks for it.
        choice: its name for `--provider`; "" when there is nothing to choose.
        chosen: what is chosen with that name, for people.
        follows: the choice whose provider's namesake does this stage too.
        when: the design's fact, or CHOICE=PROVIDER, without which it is not planned.
        driver: what drives the designs that it is planned for: "stages", "aiecc"; "" for either.
        also_reads: files that the command reads without an option of theirs.
        instead_of: the file in whose place those that come after it read what it makes.
        discovers: the option with which it reads files that its command line does not name, and returns them
            for the depfile; "-o", which every command has, for always; "" for never.
        wanted: whether `ninja DESIGN` asks for what it makes.
        installed: whether it needs Python packages that are installed.
        pool: Ninja's pool; "" for none.
        own_rule: whether build.ninja.in has the rule, because it is no command of the common form.
        planning: whether configure.py does it while it plans, so that it has neither a rule nor a module.
    """

    name: str
    label: str
    does: str
    reads: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    providers: tuple[Provider, ...] = (Provider("npuninja"),)
    scope: str = ""
    choice: str = ""
    chosen: str = ""
    follows: str = ""
    when: str = ""
    driver: str = "stages"
    also_reads: tuple[str, ...] = ()
    instead_of: str = ""
    discovers: str = ""
    wanted: bool = False
    installed: bool = False
    pool: str = ""
    own_rule: bool = False
    planning: bool = False


# The files of a build. NAME stands for the design, C_R for a core's column and row, X for a kernel. A name
# that is not here is a file's name itself, in the design's folder.
FILES: dict[str, str] = {
    "design": "DESIGN.mlir",
    "spelled": "design.mlir",
    "lowered": "input_with_addresses.mlir",
    "physical": "input_physical.mlir",
    "with_elfs": "input_physical_with_elfs.mlir",
    "npu_insts": "npu_insts.mlir",
    "arguments": "arguments.json",
    "insts": "insts.bin",
    "insts_elf": "NAME.elf",
    "full_elf": "NAME.full.elf",
    "parameters": "params.txt",
    "ctrlpkt": "ctrlpkt.bin",
    "ctrlpkt_insts": "ctrlpkt_insts.bin",
    "ctrlpkt_elf": "ctrlpkt.elf",
    "txn": "configuration.bin",
    "cdo_elfs": "cdo_elfs.bin",
    "cdo_init": "cdo_init.bin",
    "cdo_enable": "cdo_enable.bin",
    "bif": "NAME.bif",
    "pdi": "NAME.pdi",
    # The names are stored in the XCLBIN, so they are the same for every design.
    "partition": "main_aie_partition.json",
    "kernels": "main_kernels.json",
    "memories": "main_mem_topology.json",
    "xclbin": "NAME.xclbin",
    "manifest": "NAME.json",
    "reference_source": "host/NAME.py",
    "reference": "reference.py",
    "vectors_in": "vectors_in.bin",
    "vectors_out": "vectors_out.bin",
    "check": "check.json",
    "verdict": "verdict.json",
    "script": "core_C_R.ld.script",
    "core_c": "core_C_R.c",
    "core_info": "core_C_R.json",
    "core_object": "core_C_R.o",
    "core_mlir": "core_C_R.opt.mlir",
    "core_ll": "core_C_R.ll",
    "core_peano_ll": "core_C_R.peano.ll",
    "core_opt_ll": "core_C_R.opt.ll",
    "core_elf": "core_C_R.elf",
    "core_wasm": "core_C_R.wasm",
    "kernel": "X.c",
    "object": "X.o",
    "objects": "X.o…",
    "host_source": "X.cpp",
    "host_object": "X.o",
    "host_objects": "X.o…",
    "host_program": "PROGRAM",
    "engine": "engine.wasm",
    "archive": "NAME-VERSION.zip",
    "wheel": "NAME-VERSION-py3-none-any.whl",
    "package_plan": "package_plan.json",
    "graph": "graph.json",
}


# Of those, the files of every device of a design, and of every runtime sequence. Where there are several the
# names say which: `DEVICE.` in front, `.SEQUENCE` before the ending (npuninja/plan/design_files.py).
OF_DEVICE = frozenset({"with_elfs", "cdo_elfs", "cdo_init", "cdo_enable", "bif", "pdi"})
OF_SEQUENCE = frozenset(
    {
        "arguments",
        "insts",
        "insts_elf",
        "vectors_in",
        "vectors_out",
        "ctrlpkt",
        "ctrlpkt_insts",
        "ctrlpkt_elf",
        "txn",
    }
)


def usage(row: Stage) -> str:
    """The command line of a stage in one line, without what every stage takes."""
    words = [_shown(name) for name in row.reads]
    made = list(row.makes)
    for option in row.options:
        text = " ".join((option.word, *([option.value] if option.value else []))) + (
            "…" if option.many else ""
        )
        words.append(text if option.needed else f"[{text}]")
    words += [f"-o {_shown(made[0])}"] if made else []
    return " ".join(words)


def help_text(row: Stage) -> str:
    """What `STAGE --help` prints."""
    return (
        f"usage: {row.name} {usage(row)}\n\n"
        f"{row.does[0].upper()}{row.does[1:]}.\n\n"
        "Every stage takes --identity WORD (the version of its tool, ignored),\n"
        "--modules WORD (what of npuninja it consists of, ignored) and --depfile FILE\n"
        "[--depfile-target STAMP].\n"
    )


def _shown(name: str) -> str:
    return FILES.get(name, name)
