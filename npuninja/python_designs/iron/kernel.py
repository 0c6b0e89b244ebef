"""Kernels: functions in C that a worker calls."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from npuninja.kernel_headers import MADE_FOR_CHESS
from npuninja.python_designs.construct import generation
from npuninja.python_designs.construct.types import is_array_type, np_ndarray_type_get_dtype
from npuninja.python_designs.dialects.aie_memory import external_func
from npuninja.python_designs.dialects.func import call, flattened, signature
from npuninja.python_designs.iron.buffer import Buffer
from npuninja.python_designs.iron.resolvable import Resolvable


class BaseKernel(Resolvable):
    """A function with a name, parameters and an object file."""

    def __init__(
        self,
        name: str,
        object_file_name: str,
        arg_types: list[Any] | None = None,
        link_with_mode: str | None = None,
    ) -> None:
        if not name:
            raise ValueError("a kernel's name, that of its function in the object file, is empty")
        self._name = name
        self._arg_types = list(arg_types or [])
        self._object_file_name = object_file_name
        self._link_with_mode = link_with_mode
        self._op: Any = None
        self._module: Any = None

    @property
    def name(self) -> str:
        """The function's symbol."""
        return self._name

    @property
    def bin_name(self) -> str:
        """The object file."""
        return self._object_file_name

    object_file_name = bin_name

    @property
    def link_with_mode(self) -> str | None:
        """`merge` for LLVM IR that becomes part of the core's code, else None."""
        return self._link_with_mode

    @property
    def op(self) -> Any:
        """The declaration."""
        return self._op

    def arg_types(self) -> list[Any]:
        """The types of the parameters."""
        return list(self._arg_types)

    def _array(self, index: int) -> Any:
        if not self._arg_types:
            raise ValueError(f"kernel {self._name} was given no arg_types")
        if index >= len(self._arg_types):
            raise ValueError(
                f"kernel {self._name} has {len(self._arg_types)} arguments; there is no argument {index}"
            )
        return self._arg_types[index]

    def arg_shape(self, arg_index: int = 0) -> tuple[int, ...]:
        """The shape of a parameter that is an array."""
        found = self._array(arg_index)
        if is_array_type(found):
            return tuple(found.__args__[0])
        if hasattr(found, "shape") and len(found.shape) > 0:
            return tuple(found.shape)
        raise ValueError(f"argument {arg_index} is no array, so it has no shape")

    def arg_dtype(self, arg_index: int = 0) -> Any:
        """The scalar type of a parameter. Raises ValueError for what is no type of an array or scalar."""
        found = self._array(arg_index)
        if is_array_type(found):
            return np_ndarray_type_get_dtype(found)
        if not isinstance(found, (type, np.dtype)) and not hasattr(found, "dtype"):
            raise ValueError(
                f"argument {arg_index} is no type of arrays or numbers, so it has no dtype: {found!r}"
            )
        return found

    def tile_size(self, arg_index: int = 0) -> int:
        """The first dimension of a parameter."""
        return self.arg_shape(arg_index)[0]

    def resolve(self, loc: Any = None, ip: Any = None) -> None:
        """Declares the function, once for each module."""
        from npuninja.python_designs.construct.insertion import module_around

        module = module_around()
        if self._op is not None and self._module is module:
            return
        link = None if generation.is_first() else self._object_file_name
        mode = self._link_with_mode if generation.is_third() else None
        self._op = external_func(self._name, list(self._arg_types), link_with=link, link_with_mode=mode)
        self._module = module

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Calls the function in a core.

        Raises:
            ValueError: it is no argument of the worker, or the arguments do not fit.
        """
        if self._op is None:
            raise ValueError(
                f"kernel {self._name} is not declared in this module yet: give it to the worker, "
                "in the arguments of Worker(fn, [...])"
            )
        if not generation.is_first() and len(arguments) != len(self._arg_types):
            raise ValueError(
                f"{type(self).__name__} '{self._name}' has {len(self._arg_types)} argument(s) by its "
                f"arg_types, and was called with {len(arguments)}"
            )
        given = [a.op if isinstance(a, Buffer) else a for a in arguments]
        if generation.is_third():
            given = [flattened(a, text) for a, text in zip(given, signature(self._op.ir)[0])]
        return call(self._op, given)


class Kernel(BaseKernel):
    """A function in an object file that is there already, or that the build makes."""

    def __init__(
        self,
        name: str,
        object_file_name: str | None = None,
        arg_types: list[Any] | None = None,
        *,
        bin_name: str | None = None,
        link_with_mode: str | None = None,
    ) -> None:
        found = object_file_name or bin_name
        if found is None:
            raise TypeError("Kernel.__init__() missing 1 required positional argument: 'object_file_name'")
        super().__init__(name, found, arg_types, link_with_mode)


class ObjectFile:
    """What an ExternalFunction is compiled to. Its source may define more functions than that one."""

    def __init__(self, function: ExternalFunction) -> None:
        self._function = function

    @property
    def name(self) -> str:
        """The name of the file."""
        return self._function.object_file_name

    def bind(self, symbol: str, arg_types: list[Any] | None = None) -> BaseKernel:
        """Another function of the same source; it has the same prefix, and nothing is compiled for it."""
        function = self._function
        if symbol not in (function.original_name, *function.bound):
            function.bound.append(symbol)
        name = f"{function.symbol_prefix}_{symbol}" if function.symbol_prefix else symbol
        return BaseKernel(name, function.object_file_name, arg_types, function.link_with_mode)


class ExternalFunction(BaseKernel):
    """A function in C or C++ that is compiled for the design: a file or its text."""

    #: Those made since the design began, in order; `@iron.jit` compiles them.
    instances: list[ExternalFunction] = []
    _instances = instances

    def __init__(
        self,
        name: str,
        object_file_name: str | None = None,
        source_file: str | None = None,
        source_string: str | None = None,
        arg_types: list[Any] | None = None,
        include_dirs: list[str] | None = None,
        compile_flags: list[str] | None = None,
        *,
        symbol_prefix: str | None = None,
        use_chess: bool = False,
        inline: bool = False,
    ) -> None:
        if source_file is None and source_string is None:
            raise ValueError(f"ExternalFunction '{name}' has no program: give source_file or source_string")
        if inline:
            _must_inline(name, object_file_name, symbol_prefix, use_chess)
        effective = f"{symbol_prefix}_{name}" if symbol_prefix else name
        is_default = not object_file_name
        self.original_name = name
        self.symbol_prefix = symbol_prefix
        #: Other functions of the source that the design calls.
        self.bound: list[str] = []
        self.inline = inline
        self.use_chess = use_chess
        self._source_file = None if source_file is None else str(source_file)
        self._source_string = source_string
        self._include_dirs = [str(d) for d in include_dirs or []]
        self._compile_flags = list(compile_flags or [])
        file_name = object_file_name or f"{effective}{'.ll' if inline else '.o'}"
        super().__init__(effective, file_name, arg_types, "merge" if inline else None)
        self._register(is_default)

    def _register(self, is_default: bool) -> None:
        for other in self.instances:
            if not generation.is_third() or other._name != self._name or other.content() == self.content():
                continue
            if other.object_file_name == self.object_file_name:
                if not is_default:
                    raise ValueError(
                        f"there are two kernels {self._name!r} of different source or compile_flags, "
                        f"and both make {self.object_file_name}: give one another "
                        "object_file_name=... or name=..."
                    )
                stem, dot, suffix = self._object_file_name.rpartition(".")
                self._object_file_name = f"{stem}_{self.content()[:8]}{dot}{suffix}"
                break
        self.instances.append(self)

    @property
    def build_flags(self) -> list[str]:
        """The compiler's words: those that were given, and the functions' new names.

        MLIR-AIE puts a prefix in front of every symbol of the object; here only the functions that the design
        calls get one: nothing sees the others.
        """
        called = (self.original_name, *self.bound) if self.symbol_prefix else ()
        renamed = [f"-D{symbol}={self.symbol_prefix}_{symbol}" for symbol in called]
        return [*self._compile_flags, *renamed, *([f"-D{MADE_FOR_CHESS}"] if self.use_chess else [])]

    @property
    def object_file(self) -> ObjectFile:
        """Where the compiled function is, and others of its source with it."""
        return ObjectFile(self)

    @property
    def source_file(self) -> str | None:
        """The file, or None."""
        return self._source_file

    def source_text(self) -> str:
        """The program's text."""
        if self._source_string is not None:
            return self._source_string
        assert self._source_file is not None
        if not os.path.exists(self._source_file):
            return ""
        with open(self._source_file, encoding="utf-8", errors="replace") as stream:
            return stream.read()

    def content(self) -> str:
        """A digest of everything the object depends on, but for what it includes."""
        parts = [
            self._name,
            str(self._arg_types),
            str(sorted(self._include_dirs)),
            str(sorted(self._compile_flags)),
            str(self.use_chess),
            str(self.inline),
            self.source_text(),
        ]
        import hashlib

        return hashlib.sha256("|".join(parts).encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ExternalFunction) and other.content() == self.content()

    def __hash__(self) -> int:
        return int(self.content()[:8], 16)

    def __enter__(self) -> ExternalFunction:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Calls the function in a core; the second generation looks at scalars too."""
        if generation.generation() == generation.SECOND:
            for i, (argument, expected) in enumerate(zip(arguments, self._arg_types)):
                is_number = isinstance(expected, type) and issubclass(expected, np.generic)
                is_given = hasattr(argument, "ir") or isinstance(
                    argument, (int, float, np.integer, np.floating)
                )
                if is_number and not is_given:
                    raise ValueError(f"argument {i} is a number, and a {type(argument).__name__} was given")
        return super().__call__(*arguments, **options)


def _must_inline(name: str, object_file_name: str | None, symbol_prefix: str | None, use_chess: bool) -> None:
    """Refuses what a kernel that becomes part of the core's code cannot have."""
    if use_chess:
        raise ValueError(
            f"ExternalFunction '{name}': inline=True is LLVM IR of Peano, which use_chess=True does not give"
        )
    if symbol_prefix:
        raise NotImplementedError(
            f"ExternalFunction '{name}': a kernel of LLVM IR (inline=True) cannot be renamed; "
            "leave out symbol_prefix"
        )
    if object_file_name and not object_file_name.lower().endswith((".ll", ".bc")):
        raise ValueError(
            f"ExternalFunction '{name}': inline=True makes LLVM IR, a file in '.ll' or '.bc', and "
            f"object_file_name is '{object_file_name}'"
        )
