"""Stage manifest: what a runner must know of a built design, beside the XCLBIN."""

from __future__ import annotations

import hashlib
import json
import os
import re

from npuninja.errors import Location, UserError
from npuninja.files import read_file
from npuninja.formats.xclbin_sections import DEFAULT_KERNEL_ID, DEFAULT_KERNEL_NAME, MOST_BUFFERS
from npuninja.stages._run import MAX_INPUT_BYTES, Outputs, read_bytes, read_text, stage_arguments

FORMAT = 1
_IMPORT = re.compile(rb"^[ \t]*(?:from|import)[ \t]+([A-Za-z_]\w*)", re.MULTILINE)


def run(arguments: list[str]) -> list[str]:
    """The arguments stand in docs/architecture.md, "Stages".

    Returns:
        The modules beside the reference that it imports. They are copied with it, because the manifest's folder is
        all that a package has.
    """
    options = stage_arguments("manifest", arguments)
    target, source = options.one("-o"), options.input()
    reference, copy = options.optional("--reference"), options.optional("--reference-copy")
    modules = _modules_beside(reference) if reference and copy else {}
    copies = {_copy_of(module, copy or ""): module for module in modules}
    with Outputs(target, *([copy] if copy else []), *copies) as outputs:
        outputs.may_be_empty(*copies)
        described = json.loads(read_text(options.one("--arguments")))
        count = len(described)
        if count > MOST_BUFFERS:
            raise UserError(
                f"the runtime sequence has {count} arguments, a kernel takes at most {MOST_BUFFERS} buffers",
                Location(source),
                hint="put several of them into one buffer, at different offsets",
            )
        providers = dict(_provider(text) for text in options.all("--provider"))
        files = {name: options.one(f"--{name}") for name in ("xclbin", "insts")}
        hashes = {name: hashlib.sha256(read_bytes(path)).hexdigest() for name, path in files.items()}
        content = {
            "format": FORMAT,
            "design": options.one("--design"),
            "device": options.one("--device"),
            "core_kind": options.one("--kind"),
            "kernel": {"name": DEFAULT_KERNEL_NAME, "id": f"{DEFAULT_KERNEL_ID:#x}"},
            "arguments": described,
            "files": {
                name: {"path": _beside(path, target), "sha256": hashes[name]} for name, path in files.items()
            },
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


def _modules_beside(reference: str) -> dict[str, bytes]:
    """The modules in the reference's folder that it imports, and those that these import: path -> content, sorted."""
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


def _provider(text: str) -> tuple[str, dict[str, str]]:
    parts = text.split("=", 2)
    if len(parts) != 3:
        raise UserError(f"--provider {text}: expected STAGE=PROVIDER=VERSION")
    return parts[0], {"provider": parts[1], "version": parts[2]}


def _beside(path: str, manifest: str) -> str:
    """A path relative to the manifest, with `/` on every system."""
    return os.path.relpath(path, os.path.dirname(manifest) or ".").replace(os.sep, "/")


def _build_id(content: dict[str, object], lowered: bytes) -> str:
    """A hash of everything that decided the build: the manifest so far (files, providers) and the lowered
    design.
    """
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    digest.update(hashlib.sha256(lowered).digest())
    return digest.hexdigest()[:32]
