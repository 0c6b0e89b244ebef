"""Reads designs: each is parsed and scanned, one in Python is run first, and what was found is remembered."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from functools import cached_property

from npuninja import TYPE_CHECKING
from npuninja.detect.tool import file_stamp
from npuninja.errors import Location, UserError, in_words
from npuninja.files import write_if_changed
from npuninja.plan.design import Design, OwnKernel, from_json, to_json
from npuninja.plan.designs import DesignSource
from npuninja.plan.known_scans import KnownScans
from npuninja.records import replace

if TYPE_CHECKING:
    from typing import Any

    from npuninja.plan.python_design import PythonDesign, StartedDesign
    from npuninja.python_designs.script import Bindings


class ScanCache:
    """What scans found, by the content of the files that decided it: a JSON file in the build folder."""

    def __init__(self, path: str) -> None:
        self._path = path
        # The scanner's own state is part of the key: another version may see more.
        self._scanner = list(file_stamp(os.path.join(os.path.dirname(__file__), "scan.py")) or ())
        self._old: dict[str, Any] = {}
        self._new: dict[str, Any] = {}
        try:
            with open(path, encoding="utf-8") as stream:
                content = json.load(stream)
            if content["scanner"] == self._scanner:
                self._old = dict(content["designs"])
        except (OSError, ValueError, RecursionError, KeyError, TypeError):
            pass

    @property
    def is_new(self) -> bool:
        """Whether there was nothing from the last time."""
        return not self._old

    def get(self, source: DesignSource, printed_by: str = "") -> Design | None:
        """The design of `source` if nothing that decided it changed. `printed_by` says what prints it."""
        entry = self._old.get(source.name)
        try:
            if entry is None or [entry["source"], entry["arguments"]] != [source.path, [*source.arguments]]:
                return None
            if entry["printed_by"] != printed_by:
                return None
            if any(_hash(path) != digest for path, digest in entry["files"].items()):
                return None
            imports = tuple(entry["imports"])
            design = from_json(entry["design"], source.name, source.path, entry["mlir"], imports)
        except (KeyError, TypeError, ValueError):
            return None
        self._new[source.name] = entry
        return design

    def put(self, design: Design, source: DesignSource, printed_by: str = "") -> None:
        """Keeps a design for the next configure, with the hashes of what it was read from."""
        self._new[source.name] = {
            "source": source.path,
            "arguments": list(source.arguments),
            "printed_by": printed_by,
            "mlir": design.mlir,
            "imports": list(design.imports),
            "files": {path: _hash(path) for path in {design.source, design.mlir, *design.imports}},
            "design": to_json(design),
        }

    def save(self) -> None:
        """Writes the designs of this time when they differ from the last."""
        if self._new != self._old:
            content = {"scanner": self._scanner, "designs": {k: self._new[k] for k in sorted(self._new)}}
            write_if_changed(self._path, json.dumps(content))


def _hash(path: str) -> str:
    """The sha256 of a file's content; "" when it is not there."""
    try:
        if not os.path.isfile(path):
            return ""
        with open(path, "rb") as stream:
            return hashlib.sha256(stream.read()).hexdigest()
    except OSError:
        return ""


class DesignReader:
    """Reads the designs of a project; what was found the last time is remembered.

    Args:
        generated_folder: where the MLIR of a Python source, and of one with words replaced, is kept as
            `NAME.mlir`.
        cache: of the last time.
        bindings: MLIR-AIE's own, where they print the designs in Python.
        scans: what is known of texts, for a cache that is new.
    """

    def __init__(
        self,
        generated_folder: str,
        cache: ScanCache,
        bindings: Bindings | None = None,
        scans: KnownScans | None = None,
    ) -> None:
        self._generated_folder = generated_folder
        self._cache = cache
        self._bindings = bindings
        self._scans = scans
        self._texts: dict[str, dict[str, str] | None] = {}

    def remembered(self, source: DesignSource) -> Design | None:
        """The design in `source` when nothing that decided it has changed."""
        return self._cache.get(source, self._printed_by(source))

    def read(self, source: DesignSource) -> Design:
        """The design in `source`: the remembered one, or what it is now. Raises UserError as `made`."""
        return self.remembered(source) or self.made(source)

    def known_print(self, source: DesignSource) -> PythonDesign | None:
        """What a Python source prints, if its text alone decides that and another build folder has it."""
        words = self._closed_words(source)
        return self._scans.print_of(words) if words is not None and self._scans is not None else None

    def _closed_words(self, source: DesignSource) -> tuple[object, ...] | None:
        """All that decides what a Python source prints; None when that is more than its text."""
        if self._scans is None or self._bindings is not None or source.module or source.folder:
            return None
        if source.name not in self._texts:
            from npuninja.python_designs.script import closed_texts

            self._texts[source.name] = closed_texts(source.path)
        texts = self._texts[source.name]
        if texts is None:
            return None
        return (texts, source.path, source.arguments, source.generation, sys.version)

    def start(self, source: DesignSource) -> StartedDesign:
        """Starts the program that a Python source is; what it prints is for `made`. Raises UserError."""
        from npuninja.plan.python_design import StartedDesign

        return StartedDesign(
            source.path,
            os.getcwd(),
            source.arguments,
            self._bindings,
            source.module,
            source.folder,
            source.generation or "auto",
        )

    def made(self, source: DesignSource, printed: PythonDesign | None = None) -> Design:
        """The design in `source` as it is now, which is remembered. A Python source not yet `printed` is run.

        Raises:
            UserError: the source is not a design that can be built; located.
        """
        imports: tuple[str, ...] = ()
        kernels: tuple[OwnKernel, ...] = ()
        flags: tuple[str, ...] = ()
        mlir = source.path
        if source.path.endswith(".py"):
            if printed is None:
                with self.start(source) as running:
                    printed = running.result()
            words = self._closed_words(source)
            if words is not None and self._scans is not None:
                self._scans.keep_print(words, printed)
            text, imports, made, flags = printed
            kernels = tuple(_own_kernel(kernel, source, self._generated_folder) for kernel in made)
            mlir = self._write_mlir(source, text)
        else:
            text = _read_text(source.path)
            for word, other in source.replaced:
                text = text.replace(word, other)
            if source.replaced:
                mlir = self._write_mlir(source, text)
        all_flags = (*flags, *source.aiecc_flags)
        file = source.path if source.replaced else mlir

        def scan() -> Design:
            from npuninja.ir.parser import parse_module  # a configure that knows its designs does without
            from npuninja.plan.scan import scan_module

            module = parse_module(text, file)
            return scan_module(module, source.name, source.path, mlir, imports, all_flags, source.generation)

        deciding = (file, source.name, source.path, mlir, imports, all_flags, source.generation)
        # With words replaced, places are looked up in the text before.
        known = self._scans if not source.replaced else None
        design = known.scanned(text, deciding, scan) if known else scan()
        design = replace(design, kernels=kernels, aiecc_flags=flags)
        self._cache.put(design, source, self._printed_by(source))
        return design

    def _write_mlir(self, source: DesignSource, text: str) -> str:
        path = os.path.join(self._generated_folder, f"{source.name}.mlir")
        write_if_changed(path, text)
        return path

    def _printed_by(self, source: DesignSource) -> str:
        """A word that changes when the same source may give another design: printer and project's words."""
        words = (
            *((self._python_printer,) if source.path.endswith(".py") else ()),
            *(source.module, source.folder, source.generation, *source.aiecc_flags),
            *("=".join(pair) for pair in source.replaced),
        )
        return " ".join(words).strip()

    @cached_property
    def _python_printer(self) -> str:
        """The state of the bindings and of npuninja's own package."""
        own = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "python_designs")
        stamps = [
            file_stamp(os.path.join(folder, name))
            for folder, _, names in sorted(os.walk(own))
            for name in sorted(names)
            if name.endswith(".py")
        ]
        digest = hashlib.sha256(repr(stamps).encode()).hexdigest()[:16]
        return f"{self._bindings.identity if self._bindings else ''}:{digest}"


def _own_kernel(record: Mapping[str, Any], source: DesignSource, generated_folder: str) -> OwnKernel:
    """A kernel that a design in Python brings; one without a file gets one in the build folder."""
    path = record["source"]
    if path and not os.path.isfile(path):
        raise UserError(
            f"the kernel {record['object']} is made from {path}, which is not there",
            Location(source.path),
            hint="set MLIR_AIE_INSTALL_DIR to an MLIR-AIE that has its kernels (include/aie_kernels)",
        )
    include = [*record["include"], *([os.path.dirname(path)] if path else [])]
    if not path:
        stem = os.path.splitext(record["object"])[0]
        path = os.path.join(generated_folder, f"{source.name}.kernels", f"{stem}.cc")
        write_if_changed(path, record["text"])
    return OwnKernel(record["object"], path, tuple(include), tuple(record["flags"]))


def _read_text(path: str) -> str:
    try:
        if not os.path.isfile(path):  # a FIFO would keep us waiting, a device never end
            raise UserError("cannot read the design: it is no plain file", Location(path))
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except UnicodeDecodeError as error:
        raise UserError(f"byte {error.object[error.start]:#04x} is not UTF-8 text", Location(path)) from error
    except OSError as error:
        raise UserError(f"cannot read the design: {in_words(error)}", Location(path)) from error
