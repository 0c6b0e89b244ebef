"""Translations in the cache: by program, runtime and translator, so nothing in it is ever out of date."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import wasmtime

from npuninja.cache_files import cache_folder, forget_oldest, keep, kept
from npuninja.compiled_modules import (
    cached_module,
    module_in_cache,
    sources_key,
    wasmtime_version,
)
from npuninja.machine_code import translate
from npuninja.machine_code.core_runtime import PROGRAM, CoreRuntime
from npuninja.machine_code.prepare import Prepared

#: Translations to keep; each is some hundred kilobytes.
_KEPT = 256


def _paths(digest: bytes) -> tuple[Path, Path]:
    key, _ = sources_key(PROGRAM)
    words = f"{digest.hex()} {key} {translate.VERSION} {wasmtime_version()}"
    name = hashlib.sha256(words.encode()).hexdigest()[:32]
    folder = cache_folder("translations")
    return folder / f"{name}.cwasm", folder / f"{name}.json"


def use_cached(core: CoreRuntime, engine: wasmtime.Engine, digest: bytes) -> bool:
    """Lets a core run the translation of its program that is in the cache, if one is.

    Args:
        core: has the program.
        engine: of its store.
        digest: sha256 of the program's pieces.
    """
    module_path, blocks_path = _paths(digest)
    text = kept(blocks_path)
    if text is None:
        return False
    found = json.loads(text)
    module = module_in_cache(engine, module_path)
    if module is None:
        return False
    tables = [
        {int(at): block for at, block in table.items()} for table in (found["entries"], *found["lookups"])
    ]
    core.use_translation(module, tables[0], tables[1:])
    return True


def translate_now(core: CoreRuntime, engine: wasmtime.Engine, digest: bytes, prepared: Prepared) -> None:
    """Translates a core's program, puts the translation into the cache and lets the core run it."""
    module_path, blocks_path = _paths(digest)
    made = translate.Translator(prepared, core.addresses).translate()
    module = cached_module(engine, module_path, lambda: made.module)
    keep(blocks_path, json.dumps({"entries": made.entries, "lookups": made.lookups}).encode())
    forget_oldest(blocks_path.parent, 2 * _KEPT)
    core.use_translation(module, made.entries, made.lookups)
