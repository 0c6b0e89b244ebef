"""Where the next operation goes: insertion points, contexts and locations as MLIR's bindings have them."""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any

from npuninja.errors import Location as TextLocation
from npuninja.ir.core import Block as IrBlock
from npuninja.ir.core import Operation, Region

_OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_stack: list[InsertionPoint] = []
_shown: dict[str, str] = {}  # file of a frame -> its shorter name


class NoInsertionPoint(ValueError):
    """An operation is made outside of every context."""


class _Current:
    def __get__(self, instance: Any, owner: Any) -> InsertionPoint:
        return current()


class InsertionPoint:
    """The end of a block, or the place before an operation; inside its `with` it is the current one."""

    def __init__(self, where: Any, before: Any = None) -> None:
        found = getattr(where, "ir", where)
        if isinstance(found, Operation):
            assert found.parent is not None, found
            self.ir_block: IrBlock = found.parent
            self.before: Operation | None = found
        else:
            self.ir_block = found
            self.before = before

    current = _Current()

    @staticmethod
    def at_block_begin(block: Any) -> InsertionPoint:
        """Before the first operation that the block has now."""
        found: IrBlock = getattr(block, "ir", block)
        return InsertionPoint(found, found.ops[0] if found.ops else None)

    @staticmethod
    def at_block_terminator(block: Any) -> InsertionPoint:
        """Before the block's last operation."""
        found: IrBlock = getattr(block, "ir", block)
        return InsertionPoint(found, found.ops[-1] if found.ops else None)

    @property
    def block(self) -> Any:
        """The block."""
        from npuninja.python_designs.construct.operations import Block

        return Block(self.ir_block)

    @property
    def ref_operation(self) -> Any:
        """The operation it comes before, or None."""
        from npuninja.python_designs.construct.operations import view_of

        return None if self.before is None else view_of(self.before)

    def insert(self, op: Any) -> None:
        """Puts an operation here."""
        found: Operation = getattr(op, "ir", op)
        if self.before is None:
            self.ir_block.append(found)
        else:
            self.before.insert_before(found)

    def __enter__(self) -> InsertionPoint:
        _stack.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        _stack.pop()


def current() -> InsertionPoint:
    """The innermost insertion point. Raises NoInsertionPoint when there is no context around."""
    if not _stack:
        raise NoInsertionPoint(
            "No current InsertionPoint: operations are made inside `with mlir_mod_ctx() as ctx:`"
        )
    return _stack[-1]


def has_current() -> bool:
    """Whether there is a context around."""
    return bool(_stack)


def module_around() -> Operation:
    """The module that the current insertion point lies in."""
    region = current().ir_block.parent
    assert region is not None
    op = region.parent
    while op is not None and op.parent_op is not None:
        op = op.parent_op
    assert op is not None
    return op


def user_place() -> TextLocation | None:
    """Where the design's own code is just now: the innermost frame outside of this package."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        # Neither our own code, nor what Python made at run time, nor the standard library.
        if (
            not file.startswith((_OWN, "<", sys.prefix))
            and "contextlib" not in file
            and "functools" not in file
        ):
            known = _shown.get(file)
            if known is None:
                relative = os.path.relpath(file)
                known = _shown[file] = relative if len(relative) < len(file) else file
            return TextLocation(known, frame.f_lineno)
        frame = frame.f_back
    return None


class Context:
    """MLIR's context: there is one here, so this only gives the name."""

    allow_unregistered_dialects = False
    _around: list[Context] = []

    def __enter__(self) -> Context:
        Context._around.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        Context._around.pop()

    def append_dialect_registry(self, registry: Any) -> None:
        """Changes nothing: all operations that npuninja knows are there."""

    def load_all_available_dialects(self) -> None:
        """Changes nothing, for the same reason."""


def get_dialect_registry() -> None:
    """MLIR's registry of dialects, of which there is no need here."""


class Location:
    """Places are taken from the design's frames; this gives MLIR's name for a context manager."""

    @classmethod
    def unknown(cls, context: Any = None) -> Location:
        """A location without a place."""
        return cls()

    @classmethod
    def file(cls, filename: str, line: int, col: int, context: Any = None) -> Location:
        """A place in a file."""
        return cls()

    @classmethod
    def name(cls, name: str, childLoc: Any = None, context: Any = None) -> Location:
        """A name for a place."""
        return cls()

    def __enter__(self) -> Location:
        return self

    def __exit__(self, *error: object) -> None:
        pass


class Module:
    """A module being built."""

    def __init__(self, op: Operation) -> None:
        self.ir = op

    @staticmethod
    def create(loc: Any = None) -> Module:
        """A new module without operations."""
        return Module(Operation("builtin.module", regions=[Region([IrBlock()])]))

    @staticmethod
    def parse(text: str, context: Any = None) -> Module:
        """The module with this text."""
        from npuninja.ir.parser import parse_module

        return Module(parse_module(text, "<string>"))

    @property
    def context(self) -> Context:
        """MLIR's context of the module."""
        return Context()

    @property
    def operation(self) -> Any:
        """The module as operation."""
        from npuninja.python_designs.construct.operations import view_of

        return view_of(self.ir)

    @property
    def body(self) -> Any:
        """Its block."""
        from npuninja.python_designs.construct.operations import Block

        return Block(self.ir.body)

    def __str__(self) -> str:
        from npuninja.ir.printer import print_module

        return print_module(self.ir)

    def dump(self) -> None:
        """Prints the module on standard error."""
        sys.stderr.write(str(self))


class ModuleContext:
    """What `mlir_mod_ctx` gives: the module that is being made."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.context = Context()


class mlir_mod_ctx:
    """An empty module, or the one in `src`, as the place to build in."""

    def __init__(
        self,
        src: str | None = None,
        context: Any = None,
        location: Any = None,
        allow_unregistered_dialects: bool = False,
    ) -> None:
        module = Module.parse(src) if src is not None else Module.create()
        self._made = ModuleContext(module)
        self._point = InsertionPoint(module.ir.body)

    def __enter__(self) -> ModuleContext:
        self._point.__enter__()
        return self._made

    def __exit__(self, *error: object) -> None:
        self._point.__exit__(*error)
