"""Stage manifest: what a runner must know of a built design, beside the XCLBIN."""

from __future__ import annotations

import hashlib
import json
import os

from npuninja.errors import Location, UserError
from npuninja.formats.xclbin_sections import DEFAULT_KERNEL_ID, DEFAULT_KERNEL_NAME, MOST_BUFFERS
from npuninja.stages._run import Outputs, read_bytes, read_text, stage_arguments

FORMAT = 1


def run(arguments: list[str]) -> None:
    """The arguments stand in docs/architecture.md, "Stages"."""
    options = stage_arguments("manifest", arguments)
    target, source = options.one("-o"), options.input()
    reference, copy = options.optional("--reference"), options.optional("--reference-copy")
    with Outputs(target, *([copy] if copy else [])) as outputs:
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
        content["build_id"] = _build_id(content, read_bytes(source))
        outputs.write(target, json.dumps(content, indent=1) + "\n")
        if reference and copy:
            outputs.write(copy, read_bytes(reference))


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
