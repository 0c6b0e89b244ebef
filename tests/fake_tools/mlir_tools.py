"""The pretended aie-opt and aie-translate."""

from __future__ import annotations

import os
import re
import sys

from fake_tools.releases import NUW, POISON, Release, passes, pattern, plain
from npuninja.errors import Warnings
from npuninja.formats.core_image import read_core_image
from npuninja.ir.attributes import EnumAttr, StringAttr
from npuninja.ir.core import Operation
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.lowering import pipeline
from npuninja.lowering.number_operands import numbers_from_values, numbers_to_values
from npuninja.lowering.spelled_generation import possible_generations

NEW_SEQUENCE, OLD_SEQUENCE = "aie.runtime_sequence", "aiex.runtime_sequence"


class Refused(Exception):
    """What the tool was asked is not what its release takes."""


def banner(release: Release) -> str:
    """What `--version` prints."""
    return f"LLVM (http://llvm.org/):\n  LLVM version {release.llvm}\n  Optimized build.\n"


def read(path: str, release: Release) -> Operation:
    """Parses a file in the spelling of the release, and no other."""
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    wrong = OLD_SEQUENCE if release.new_sequence else NEW_SEQUENCE
    plain_text = re.sub(r"//.*", lambda found: " " * len(found[0]), text)
    for match in re.finditer(rf"(?<![\w.]){re.escape(wrong)}\b", plain_text):
        line = text.count("\n", 0, match.start()) + 1
        message = f"{path}:{line}:5: error: custom op '{wrong}' is unknown (tried 'func.{wrong}' as well)"
        raise Refused(f"{message}\n{text.splitlines()[line - 1]}\n    ^")
    module = parse_module(text, path)
    for op in module.walk():
        if op.name == "aie.shim_dma_allocation" and bool(op.operands) != release.tile_allocation:
            line = text.splitlines()[op.loc.line - 1] if op.loc else ""
            expected = "SSA operand" if release.tile_allocation else "valid keyword"
            raise Refused(f"{op.loc}: error: expected {expected}\n{line}\n    ^")
        if op.name == "func.func" and "link_with" in op.attributes and "core-link-files" not in release.p1:
            raise Refused(f"{op.loc}: error: link_with at a function")
    possible = possible_generations(module)
    if release.values and "2026-08" not in possible:
        raise Refused(f"{path}: error: expected SSA operand")
    if not release.values and possible == ("2026-08",):
        raise Refused(f"{path}: error: expected ')'")
    numbers_from_values(module)
    return module


def generation(release: Release) -> str:
    """The generation of npuninja's lowering that writes what this release writes."""
    if release.values:
        return "2026-08"
    return "2026-02" if release.tile_allocation else "2025-10"


def aie_opt(arguments: list[str], release: Release) -> None:
    """`--version`, `--help`, `--mlir-print-op-generic FILE`, or a pipeline of the release: `IN -o OUT`."""
    if arguments == ["--version"]:
        print(banner(release))
    elif arguments == ["--help"]:
        print("Available Dialects: aie, aiex\n  Compiler passes to run\n    Passes:")
        for name in passes(release):
            print(f"      --{name:50} -   …")
    elif len(arguments) == 2 and arguments[0] == "--mlir-print-op-generic":
        print(print_module(read(arguments[1], release), generic=True))
    elif len(arguments) == 4 and arguments[2] == "-o":
        _lower(plain(arguments[0]), arguments[1], arguments[3], release)
    else:
        raise Refused(f"aie-opt: Too many positional arguments or unknown ones: {arguments}")


def _lower(asked: str, source: str, target: str, release: Release) -> None:
    module = read(source, release)
    warnings = Warnings()
    kind = generation(release)
    p1 = re.fullmatch("--pass-pipeline=" + pattern(release.p1), asked)
    p2 = re.fullmatch("--pass-pipeline=" + pattern(release.p2), asked)
    if p1:
        _check_target(module, p1["arch"])
        dynamic = "default-dynamic=1" in asked
        pipeline.lower_resources(
            module, alloc_scheme=None, generation=kind, warnings=warnings, dynamic_fifos=dynamic
        )
    elif asked == release.route:
        pipeline.route(module, generation=kind, warnings=warnings)
        if release.values:
            numbers_to_values(module)
    elif asked == "--pass-pipeline=" + release.p3:
        pipeline.lower_sequence(module, generation=kind, warnings=warnings)
    elif p2:
        if "ARCH" in release.p2:
            _check_target(module, p2["arch"])
        write(target, _llvm_dialect(module, p2["device"], int(p2["col"]), int(p2["row"])))
        return
    else:
        raise Refused(f"aie-opt: this release has no such pipeline: {asked}")
    write(target, _spelled(print_module(module), release))


def _spelled(text: str, release: Release) -> str:
    return text if release.new_sequence else text.replace(NEW_SEQUENCE, OLD_SEQUENCE)


def _check_target(module: Operation, target: str) -> None:
    device = next(op for op in module.walk() if op.name == "aie.device").attributes["device"]
    assert isinstance(device, EnumAttr)
    if (target == "aie2p") != device.case.startswith("npu2"):
        raise Refused(f"aie-opt: device {device.case} is not compiled for {target}")


def _core(module: Operation, device: str, column: int, row: int) -> Operation:
    for op in module.walk():
        symbol = op.attributes.get("sym_name")
        if op.name == "aie.device" and (symbol.value if isinstance(symbol, StringAttr) else "main") == device:
            for core in op.walk():
                tile = core.operands[0].owner if core.name == "aie.core" else None
                if isinstance(tile, Operation) and (tile.integer("col"), tile.integer("row")) == (
                    column,
                    row,
                ):
                    return core
    raise Refused(f"aie-opt: no core ({column}, {row}) in device {device}")


def _llvm_dialect(module: Operation, device: str, column: int, row: int) -> str:
    calls = [
        op.symbol("callee") for op in _core(module, device, column, row).walk() if op.name == "func.call"
    ]
    lines = [f"    llvm.call @{name}() : () -> ()" for name in calls]
    functions = [f"  llvm.func @{name}()" for name in dict.fromkeys(calls)]
    body = [f"  llvm.func @core_{column}_{row}() {{", *lines, "    llvm.return", "  }"]
    return "\n".join(["module {", *functions, *body, "}", ""])


_TRANSLATIONS = ("aie-generate-cdo", "aie-generate-ldscript", "aie-npu-to-binary", "mlir-to-llvmir")


def aie_translate(arguments: list[str], release: Release) -> None:
    """`--version`, `--help`, or one of the four translations."""
    if arguments == ["--version"]:
        print(banner(release))
        return
    if arguments == ["--help"]:
        print("\n".join(f"      --{name:40} - …" for name in _TRANSLATIONS))
        return
    line = " ".join(arguments)
    if match := re.fullmatch(r"--mlir-to-llvmir (\S+) -o (\S+)", line):
        write(match[2], _llvm_ir(match[1], release))
    elif match := re.fullmatch(
        r"--aie-npu-to-binary --aie-device-name (\w+) --aie-sequence-name (\w+) (\S+) -o (\S+)", line
    ):
        write(match[4], pipeline.instructions(read(match[3], release), match[1], match[2]))
    elif match := re.fullmatch(
        r"--aie-generate-ldscript --aie-device-name (\w+) --tilecol=(\d+) --tilerow=(\d+) (\S+) -o (\S+)",
        line,
    ):
        script = pipeline.linker_script(read(match[4], release), match[1], int(match[2]), int(match[3]))
        write(match[5], script)
    elif match := re.fullmatch(
        r"--aie-generate-cdo --aie-device-name (\w+) --work-dir-path=(/\S+) (\S+)", line
    ):
        _cdo(match[3], match[1], match[2], release)
    else:
        raise Refused(f"aie-translate: Unknown command line argument in {arguments}")


def _llvm_ir(path: str, release: Release) -> str:
    """LLVM IR with the words of this release's LLVM in it."""
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    if "llvm.func" not in text:
        raise Refused(
            f"{path}:1:1: error: cannot be converted to LLVM IR: missing `LLVMTranslationDialectInterface`"
        )
    declared = re.findall(r"llvm\.func @(\w+)\(\)$", text, re.MULTILINE)
    (core,) = re.findall(r"llvm\.func @(core_\w+)\(\) \{", text)
    attribute = f" {POISON} #0" if POISON in release.old_llvm_words else ""
    pointer = NUW if NUW in release.old_llvm_words else "getelementptr inbounds"
    lines = [f"declare void @{name}(){attribute}" for name in declared]
    lines += [f"define void @{core}() {{", f"  %1 = {pointer} i8, ptr @buffer, i32 4"]
    lines += [
        "  store i32 0, ptr %1, align 4",
        *(f"  call void @{n}()" for n in re.findall(r"llvm\.call @(\w+)", text)),
    ]
    return "\n".join([*lines, "  ret void", "}", ""])


def _cdo(path: str, device: str, folder: str, release: Release) -> None:
    module = read(path, release)
    images = {}
    for core in [op for op in module.walk() if op.name == "aie.core"]:
        file = core.attributes.get("elf_file")
        if not isinstance(file, StringAttr):
            raise Refused(
                f"{core.loc}: error: Expected lowered ELF file to be given as attribute `elf_file` for this "
                "core. Compile cores first."
            )
        if [op.name for op in core.body.ops] != ["aie.end"]:
            raise Refused(
                f"{core.loc}: error: When `elf_file` attribute is specified, core body must be empty"
            )
        tile = core.operands[0].owner
        assert isinstance(tile, Operation)
        # v1.1.1 puts its work folder in front of every path, an absolute one too.
        with open(folder + "/" + file.value, "rb") as stream:
            data = stream.read()
        images[tile.integer("col"), tile.integer("row")] = read_core_image(
            data, _architecture(module), file.value
        )
    made = pipeline.configuration(module, device, images)
    for part, content in (("elfs", made.elfs), ("init", made.init), ("enable", made.enable)):
        write(os.path.join(folder, f"{device}_aie_cdo_{part}.bin"), content)


def _architecture(module: Operation) -> str:
    device = next(op for op in module.walk() if op.name == "aie.device").attributes["device"]
    assert isinstance(device, EnumAttr)
    return "aie2p" if device.case.startswith("npu2") else "aie2"


def write(path: str, content: str | bytes) -> None:
    """Writes a file, as bytes."""
    with open(path, "wb") as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


def complain(message: str) -> int:
    """Says why, and returns the exit code of a failed tool."""
    print(message, file=sys.stderr)
    return 1
