"""Stage manifest: what a runner must know of a built design, in addition to the XCLBIN."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable

from npuninja import TYPE_CHECKING
from npuninja.device.manifest import MANIFEST_FORMAT
from npuninja.errors import InternalError, Location, UserError
from npuninja.file_kinds import ELF_MAGIC
from npuninja.files import read_file
from npuninja.formats.xclbin_sections import DEFAULT_KERNEL_ID, DEFAULT_KERNEL_NAME, MOST_BUFFERS
from npuninja.records import NamedTuple
from npuninja.stages._run import (
    MAX_INPUT_BYTES,
    Arguments,
    Outputs,
    read_bytes,
    read_text,
    stage_arguments,
)

if TYPE_CHECKING:
    from typing import Any

_IMPORT = re.compile(rb"^[ \t]*(?:from|import)[ \t]+([A-Za-z_]\w*)", re.MULTILINE)


def run(arguments: list[str]) -> list[str]:
    """The arguments are in docs/architecture.md, "Stages".

    Returns:
        The modules beside the reference that it imports. They are copied with it: a package has nothing but
        the manifest's folder.
    """
    options = stage_arguments("manifest", arguments)
    target, source = options.one("-o"), options.input()
    reference, copy = options.optional("--reference"), options.optional("--reference-copy")
    modules = _modules_beside(reference) if reference and copy else {}
    copies = _copies(modules, copy or "")
    with Outputs(target, *([copy] if copy else []), *copies) as outputs:
        outputs.may_be_empty(*copies)
        runs = _runs(options, source, target)
        first = runs[0]
        whole = options.optional("--full-elf")
        full_elf = {"full_elf": _file(whole, target)} if whole else {}
        providers = dict(_provider(text) for text in options.all("--provider"))
        content: dict[str, object] = {
            "format": MANIFEST_FORMAT,
            "design": options.one("--design"),
            "device": options.one("--device"),
            "core_kind": options.one("--kind"),
            "kernel": {"name": first.kernel, "id": first.number},
            "arguments": first.arguments,
            "files": {"xclbin": _file(options.one("--xclbin"), target), **first.streams(), **full_elf},
            **first.named(),
            **({"kernels": _kernels(runs)} if options.all("--run") else {}),
            "providers": providers,
            "reference": _beside(copy, target) if copy else None,
        }
        if copies:
            content["reference_modules"] = [_beside(path, target) for path in copies]
        content["build_id"] = _build_id(content, read_bytes(source))
        outputs.write(target, json.dumps(content, indent=1) + "\n")
        if reference and copy:
            outputs.write(copy, read_bytes(reference))
        for path, module in copies.items():
            outputs.write(path, modules[module])
    return list(modules)


def copied_modules(reference: str, reference_copy: str) -> dict[str, str]:
    """The copies of modules that the stage makes in addition to that of a reference: copy -> module.

    Raises:
        UserError: the reference cannot be read, or a module has the name of its copy.
    """
    return _copies(_modules_beside(reference), reference_copy)


def _copies(modules: Iterable[str], reference_copy: str) -> dict[str, str]:
    return {_copy_of(module, reference_copy): module for module in modules}


def _modules_beside(reference: str) -> dict[str, bytes]:
    """The modules in the reference's folder that it imports, directly or not: path -> content, sorted."""
    folder = os.path.dirname(reference)
    found: dict[str, bytes] = {}
    pending = [read_bytes(reference)]
    while pending:
        for name in _IMPORT.findall(pending.pop()):
            path = os.path.join(folder, f"{name.decode()}.py")
            if path not in found and path != reference and os.path.isfile(path):
                found[path] = read_file(path, MAX_INPUT_BYTES)  # a module may be empty
                pending.append(found[path])
    return dict(sorted(found.items()))


def _copy_of(module: str, reference_copy: str) -> str:
    folder, name = os.path.split(reference_copy)
    if os.path.basename(module) == name:
        raise UserError(
            f"a module that references share cannot be called {name}: the copy of the reference is",
            Location(module),
            hint="give it another name",
        )
    return os.path.join(folder, os.path.basename(module))


class _SequenceRun(NamedTuple):
    """A sequence as the manifest describes it: its kernel and that one's number; name, arguments, stream."""

    kernel: str
    number: str
    sequence: str
    arguments: list[dict[str, Any]]
    insts: dict[str, str]
    elf: dict[str, str] | None
    instance: str

    def streams(self) -> dict[str, dict[str, str]]:
        """The instructions, in both forms."""
        return {"insts": self.insts, **({"elf": self.elf} if self.elf else {})}

    def named(self) -> dict[str, str]:
        """Its name in the full ELF, if there is one."""
        return {"full_elf_kernel": self.instance} if self.instance else {}


def _runs(options: Arguments, source: str, target: str) -> list[_SequenceRun]:
    """Every runtime sequence, in the order of the options; the only one has aiecc's kernel."""
    described, streams, elfs = (options.all(name) for name in ("--arguments", "--insts", "--elf"))
    words = options.all("--run") or [f"{DEFAULT_KERNEL_NAME}={DEFAULT_KERNEL_ID:#x}="]
    if not len(words) == len(described) == len(streams) == len(elfs or streams):
        raise InternalError(
            f"manifest: {len(words)} runs, {len(described)} arguments, {len(streams)} streams, "
            f"{len(elfs)} ELFs"
        )
    runs = []
    instances = options.all("--instance") or [""] * len(streams)
    for word, facts, insts, elf, instance in zip(
        words, described, streams, elfs or [""] * len(streams), instances
    ):
        kernel, number, sequence = word.split("=")
        arguments = json.loads(read_text(facts))
        if len(arguments) > MOST_BUFFERS:
            raise UserError(
                f"the runtime sequence has {len(arguments)} arguments, "
                f"a kernel takes at most {MOST_BUFFERS} buffers",
                Location(source),
                hint="put several of them into one buffer, at different offsets",
            )
        made = _file(elf, target) if elf and read_bytes(elf).startswith(ELF_MAGIC) else None
        runs.append(
            _SequenceRun(
                kernel=kernel,
                number=number,
                sequence=sequence,
                arguments=arguments,
                insts=_file(insts, target),
                elf=made,
                instance=instance,
            )
        )
    return runs


def _kernels(runs: list[_SequenceRun]) -> list[dict[str, Any]]:
    """Each kernel with its sequences."""
    kernels: dict[str, dict[str, Any]] = {}
    for run in runs:
        kernel = kernels.setdefault(run.kernel, {"name": run.kernel, "id": run.number, "sequences": []})
        sequence = {"name": run.sequence, "arguments": run.arguments, **run.streams(), **run.named()}
        kernel["sequences"].append(sequence)
    return [*kernels.values()]


def _file(path: str, target: str) -> dict[str, str]:
    return {"path": _beside(path, target), "sha256": hashlib.sha256(read_bytes(path)).hexdigest()}


def _provider(text: str) -> tuple[str, dict[str, str]]:
    parts = text.split("=", 2)
    if len(parts) != 3:
        raise UserError(f"--provider {text}: expected STAGE=PROVIDER=VERSION")
    return parts[0], {"provider": parts[1], "version": parts[2]}


def _beside(path: str, manifest: str) -> str:
    """A path relative to the manifest, with `/` on every system."""
    return os.path.relpath(path, os.path.dirname(manifest) or ".").replace(os.sep, "/")


def _build_id(content: dict[str, object], lowered: bytes) -> str:
    """A hash of what decided the build: the manifest so far (files, providers) and the lowered design."""
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    digest.update(hashlib.sha256(lowered).digest())
    return digest.hexdigest()[:32]
