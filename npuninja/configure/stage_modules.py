"""Which modules of npuninja each stage consists of, as one digest a stage.

A stage's output depends on them as much as on its input. Their digest is in the stage's command, so that
Ninja runs it again when they change. Naming them in every depfile would do the same; but Ninja reads what its
log says of every output at each start, which with a thousand designs takes longer than reading build.ninja.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping

from npuninja.cache_files import keep_answer, kept_answer
from npuninja.files import write_if_changed
from npuninja.records import record

FILE = "stage_modules.json"
#: In the user's cache.
CACHE = "stage_modules"
DIGEST_CHARACTERS = 12
#: What every stage's process loads before it is a certain stage's.
START = ("npuninja", "npuninja.stages", "npuninja.stages.__main__", "npuninja.stages.batch")
#: Modules that are imported by a computed name, by the module that does.
BY_NAME = {"npuninja.lowering.passes": "npuninja.lowering"}
# It begins with a character, which is found three times as fast as the begin of a line.
_NAME = re.compile(r"\w+")
_IMPORT = re.compile(
    r"\n[ \t]*(?:from[ \t]+(npuninja[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]*)|import[ \t]+(npuninja[\w.]*))"
)


@record(frozen=True)
class StageModules:
    """Attributes:
    digests: the stage's module -> a word that changes with any module it consists of, and with the files that
        come with these modules (headers, tables, C sources).
    files: all of these files, and those that were asked for too, absolute, sorted.
    """

    digests: Mapping[str, str]
    files: tuple[str, ...]


def stage_modules(
    package: str,
    stamp: str,
    stages: tuple[str, ...],
    build_folder: str,
    for_all: bool = False,
    further: tuple[str, ...] = (),
) -> StageModules:
    """The digests of `stages` (modules in npuninja/stages), from the last configure if nothing changed.

    Args:
        package: the folder of npuninja.
        stamp: that of its modules (`npuninja.configure.planned.modules_stamp`).
        stages: for which digests are wanted.
        build_folder: where the last answer is kept.
        for_all: whether the answer is kept, and taken, for all build folders of this user too.
        further: more modules whose files are wanted, with all that they import.
    """
    path = os.path.join(build_folder, FILE)
    key = hashlib.sha256(repr((stamp, stages, further)).encode("utf-8", "surrogateescape")).hexdigest()
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            known = _of_json(stream.read(), key)
    except OSError:
        known = None
    if known is not None:
        return known
    other = kept_answer(CACHE, key) if for_all else None
    found = _of_json(other.decode("utf-8", "surrogateescape"), key) if other else None
    if found is None:
        found = _found(package, stages, further)
    content = json.dumps({"key": key, "digests": found.digests, "files": found.files})
    write_if_changed(path, content)
    if for_all and other is None:
        keep_answer(CACHE, key, content.encode("utf-8", "surrogateescape"))
    return found


def _of_json(text: str, key: str) -> StageModules | None:
    """What was kept, when it is about the same state of the package."""
    try:
        content = json.loads(text)
        if content["key"] == key:
            return StageModules(dict(content["digests"]), tuple(content["files"]))
    except (ValueError, RecursionError, KeyError, TypeError):
        pass
    return None


def _found(package: str, stages: tuple[str, ...], further: tuple[str, ...]) -> StageModules:
    tree = _ModuleTree(package)
    digests: dict[str, str] = {}
    files = tree.files_of(further)
    for stage in stages:
        consists_of = tree.files_of((*START, f"npuninja.stages.{stage}"))
        digest = hashlib.sha256(b"".join([tree.state(path) for path in sorted(consists_of)]))
        digests[stage] = digest.hexdigest()[:DIGEST_CHARACTERS]
        files |= consists_of
    return StageModules(digests, tuple(sorted(files)))


class _ModuleTree:
    """The modules of a package, and what each imports, read when it is asked for."""

    def __init__(self, package: str) -> None:
        self._root = os.path.dirname(package)
        self._files = dict(_modules(self._root, os.path.basename(package)))
        self._imports: dict[str, tuple[str, ...]] = {}
        self._states: dict[str, bytes] = {}
        self._data: dict[str, tuple[str, ...]] = {}

    def state(self, path: str) -> bytes:
        """A line with a file's name and the digest of its content."""
        if path not in self._states:
            self._read(path)
        return self._states[path]

    def files_of(self, modules: tuple[str, ...]) -> set[str]:
        """The files of these modules and of all that they import, with the files that come with these."""
        waiting, found, files = list(modules), set(modules), set()
        while waiting:
            name = waiting.pop()
            imports = self._imports.get(name)
            if imports is None:
                imports = self._imports[name] = self._imported(name)
                self._data[name] = self._data_of(self._files[name])
            files.add(self._files[name])
            files.update(self._data[name])
            new = set(imports) - found
            waiting += new
            found |= new
        return files

    def _data_of(self, file: str) -> tuple[str, ...]:
        """The files that come with a package: those in its folder, and folders there, that are no modules."""
        package, name = os.path.split(file)
        found: list[str] = []
        if name == "__init__.py":
            for folder, folders, names in os.walk(package):
                if folder != package and "__init__.py" in names:
                    folders.clear()
                    continue
                folders[:] = [name for name in folders if name != "__pycache__"]
                found += [os.path.join(folder, name) for name in names if not name.endswith(".py")]
        return tuple(found)

    def _read(self, path: str) -> bytes:
        """A file's content; its state is kept."""
        with open(path, "rb") as stream:
            content = stream.read()
        name = path[len(self._root) + 1 :]
        self._states[path] = f"{name} {hashlib.sha256(content).hexdigest()}\n".encode()
        return content

    def _imported(self, module: str) -> tuple[str, ...]:
        """The modules that a module imports, anywhere in its text, and the package that it lies in."""
        text = self._read(self._files[module]).decode()
        names = [module.rpartition(".")[0]]
        if module in BY_NAME:
            below = BY_NAME[module] + "."
            names += [name for name in self._files if name.startswith(below)]
        for source, imported, whole in _IMPORT.findall("\n" + text):
            names.append(source or whole)
            names += [f"{source}.{name}" for name in _NAME.findall(imported)]
        return tuple(name for name in names if name in self._files)


def _modules(root: str, package: str) -> Iterator[tuple[str, str]]:
    """Every module of a package below `root`, with its file."""
    for folder, folders, names in os.walk(os.path.join(root, package)):
        folders[:] = [name for name in folders if name != "__pycache__"]
        own = os.path.relpath(folder, root).replace(os.sep, ".")
        for name in names:
            if name.endswith(".py"):
                module = own if name == "__init__.py" else f"{own}.{name[:-3]}"
                yield module, os.path.join(folder, name)
