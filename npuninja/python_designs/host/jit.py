"""`@iron.jit` of summer 2026: a function whose compile-time values make a module, and whose calls run it."""

from __future__ import annotations

import functools
import inspect
import typing
from typing import Annotated, Any, Callable, get_args, get_origin

from npuninja.python_designs import running
from npuninja.python_designs.compiling import building, compile_context
from npuninja.python_designs.construct.insertion import Module, mlir_mod_ctx
from npuninja.python_designs.construct.operations import MLIRError
from npuninja.python_designs.iron.current_device import ensure_current_device, get_current_device

_COMPILE_TIME = "npuninja compile-time value"


class In:
    """A tensor that the design reads."""


class Out:
    """A tensor that the design writes."""


class InOut:
    """A tensor that the design reads and writes."""


class CompileTime:
    """`CompileTime[int]`: a value that the module depends on."""

    def __class_getitem__(cls, item: Any) -> Any:
        return Annotated[item, _COMPILE_TIME]


CONFIGURATION = (
    "use_cache", "source_files", "aiecc_flags", "compile_flags", "include_paths", "object_files", "trace_config",
    "full_elf",
)  # fmt: skip


def _is_compile_time(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return _COMPILE_TIME in get_args(annotation)[1:]
    return any(_is_compile_time(a) for a in get_args(annotation))


class _Placeholder:
    """A tensor parameter while the module is made: it has nothing yet."""

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(
            f"parameter '{self._name}' is a tensor (In/Out/InOut), which the design is built without: it "
            f"has no .{name} yet. Give shapes and types as CompileTime[T] parameters."
        )

    def _refuse(self, *_: Any) -> Any:
        raise RuntimeError(
            f"parameter '{self._name}' is a tensor (In/Out/InOut), which the design is built without. Give "
            "shapes and types as CompileTime[T] parameters."
        )

    __len__ = __getitem__ = __iter__ = __array__ = __bool__ = _refuse


class Parameters:
    """The parameters of a design's function by kind, each in order."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.signature = inspect.signature(function)
        try:
            hints = typing.get_type_hints(function, include_extras=True)
        except Exception:  # a hint that names what is not there: only the spelled annotations count
            hints = {}
        self.tensors: list[str] = []
        self.compile_time: list[str] = []
        self.scalars: list[str] = []
        for name, parameter in self.signature.parameters.items():
            hint = hints.get(name, parameter.annotation)
            if hint in (In, Out, InOut):
                self.tensors.append(name)
            elif _is_compile_time(hint):
                self.compile_time.append(name)
            else:
                self.scalars.append(name)


def _default(parameter: inspect.Parameter) -> bool:
    return parameter.default is not inspect.Parameter.empty


class CompilableDesign:
    """A design's function, or an MLIR file, with values and settings."""

    def __init__(
        self,
        mlir_generator: Any,
        *,
        compile_kwargs: dict[str, Any] | None = None,
        use_cache: bool = True,
        source_files: Any = None,
        aiecc_flags: Any = None,
        compile_flags: Any = None,
        include_paths: Any = None,
        object_files: Any = None,
        full_elf: bool = False,
        trace_config: Any = None,
    ) -> None:
        self.generator = mlir_generator
        self.compile_kwargs = dict(compile_kwargs or {})
        self.use_cache = use_cache
        self.source_files = list(source_files or [])
        self.aiecc_flags = list(aiecc_flags or [])
        self.compile_flags = list(compile_flags or [])
        self.include_paths = list(include_paths or [])
        self.object_files = list(object_files or [])
        self.full_elf = full_elf
        self.trace_config = trace_config
        self._texts: dict[Any, str] = {}
        self.kernels: list[Any] = []
        self.parameters = Parameters(mlir_generator) if callable(mlir_generator) else None
        if self.parameters is not None:
            self._check()

    @property
    def mlir_generator(self) -> Any:
        """The function or file."""
        return self.generator

    @property
    def name(self) -> str:
        """The function's name, or the file's."""
        return getattr(self.generator, "__name__", str(self.generator))

    @property
    def compile_params(self) -> list[str]:
        """The compile-time parameters."""
        return [] if self.parameters is None else list(self.parameters.compile_time)

    @property
    def tensor_params(self) -> list[str]:
        """The tensor parameters."""
        return [] if self.parameters is None else list(self.parameters.tensors)

    @property
    def scalar_params(self) -> list[str]:
        """The parameters that are neither tensors nor compile-time values."""
        return [] if self.parameters is None else list(self.parameters.scalars)

    def takes(self, keyword: str) -> bool:
        """Whether a call may have this keyword."""
        if self.parameters is None or keyword in CONFIGURATION:
            return True
        listed = self.parameters.signature.parameters
        return keyword in listed or any(p.kind is inspect.Parameter.VAR_KEYWORD for p in listed.values())

    def _check(self) -> None:
        assert self.parameters is not None
        known, name = self.parameters, self.name
        tensors = sorted(set(self.compile_kwargs) & set(known.tensors))
        if tensors:
            raise TypeError(
                f"'{name}' takes {tensors} as tensors (In/Out/InOut) when it is called: leave them out of "
                "compile_kwargs"
            )
        wrong = sorted(set(self.compile_kwargs) - set(known.compile_time))
        if wrong:
            raise TypeError(
                f"@iron.jit was given {wrong}, which '{name}' does not have as CompileTime[T] parameters.\n"
                f"Those it has: {known.compile_time}\nOptions of @iron.jit: {list(CONFIGURATION)}"
            )
        listed = known.signature.parameters
        with_default = [
            n
            for n in known.scalars
            if _default(listed[n]) and listed[n].kind is not inspect.Parameter.VAR_KEYWORD
        ]
        if with_default:
            raise TypeError(
                f"@iron.jit: '{name}' has defaults for {with_default}, which are no CompileTime[T] "
                "parameters: annotate them, or take the defaults away"
            )
        loose = [
            n
            for n in known.compile_time
            if listed[n].kind is not inspect.Parameter.KEYWORD_ONLY
            and not _default(listed[n])
            and n not in self.compile_kwargs
        ]
        if loose:
            raise TypeError(
                f"@iron.jit: the CompileTime[T] parameter(s) {loose} of '{name}' may be mistaken for "
                "tensors.\n"
                f"Put a `*` before the first of them:\n"
                f"  before: def {name}({', '.join(listed)})\n"
                "  after:  def "
                f"{name}({', '.join([*known.tensors, *known.scalars, '*', *known.compile_time])})"
            )

    def generate_mlir(self) -> Any:
        """The module, made again.

        Raises:
            TypeError: a value is missing.
            AttributeError: the function returns something else than a module.
            RuntimeError: the module breaks a rule.
        """
        if self.parameters is None:
            with open(self.generator, encoding="utf-8") as stream:
                return Module.parse(stream.read())
        from npuninja.python_designs.iron.kernel import ExternalFunction
        from npuninja.python_designs.kernels.external import clear_made

        values = {n: v for n, v in self.compile_kwargs.items() if n in self.parameters.compile_time}
        listed = self.parameters.signature.parameters
        for name in self.parameters.compile_time:
            if name not in values and not _default(listed[name]):
                raise TypeError(f"'{self.name}' needs a value for its CompileTime[T] parameter '{name}'")
        ExternalFunction.instances.clear()
        clear_made()
        for value in values.values():
            if isinstance(value, ExternalFunction):
                ExternalFunction.instances.append(value)
        placeholders = {name: _Placeholder(name) for name in self.parameters.tensors}
        with mlir_mod_ctx() as ctx, building(self.full_elf), compile_context(**values):
            made = self.generator(**placeholders, **values)
        module = ctx.module if made is None else made
        self.kernels = list(ExternalFunction.instances)
        if not hasattr(module, "operation"):
            raise AttributeError(
                f"'{type(module).__name__}' object has no attribute 'operation': "
                f"'{self.name}' must return its module, or nothing"
            )
        try:
            module.operation.verify()
        except MLIRError as error:
            raise RuntimeError(f"the module of '{self.name}' is not valid\n{error}") from error
        return module

    def as_mlir(self) -> str:
        """The module's text, kept for each device."""
        device = get_current_device()
        key = (type(device), getattr(device, "cols", 0), self.full_elf)
        if key not in self._texts:
            self._texts[key] = str(self.generate_mlir()).rstrip("\n") + "\n"
        return self._texts[key]

    def compile(
        self,
        xclbin_path: Any = None,
        inst_path: Any = None,
        elf_path: Any = None,
        full_elf_path: Any = None,
        pdi_path: Any = None,
    ) -> Any:
        """Compiles by npuninja's stages: into the cache, or to these paths.

        Returns:
            (xclbin, instructions), or (elf, None).
        """
        if full_elf_path is None and (xclbin_path is None) != (inst_path is None):
            raise ValueError("compile(): xclbin_path and inst_path go together: give both or neither")
        if xclbin_path is None and (elf_path is not None or pdi_path is not None):
            which = "elf_path" if elf_path is not None else "pdi_path"
            raise ValueError(f"compile(): {which} comes with xclbin_path and inst_path; give these too")
        if full_elf_path is not None:
            self.full_elf = True
        ensure_current_device()
        text = self.as_mlir()
        running.printed_instead(text, self.kernels, self.aiecc_flags)
        from npuninja.python_designs.host.building import build_design

        return build_design(self, text, xclbin_path, inst_path, elf_path, full_elf_path, pdi_path)


class CallableDesign:
    """What `@iron.jit` makes of a function."""

    def __init__(self, compilable: CompilableDesign) -> None:
        self.compilable = compilable
        self._kernel_cache: dict[
            Any, Any
        ] = {}  # measurements empty it; the real cache is by content, on disk
        if callable(compilable.generator):
            functools.update_wrapper(self, compilable.generator)

    def _settings(self) -> dict[str, Any]:
        return {key: getattr(self.compilable, key) for key in CONFIGURATION}

    def specialize(self, **overrides: Any) -> CallableDesign:
        """The same design with other values and settings."""
        settings = {**self._settings(), **{k: v for k, v in overrides.items() if k in CONFIGURATION}}
        # A design that takes `trace_config` itself gets it, as the host side does, which reads the trace.
        declared = self.compilable.compile_params
        values = {k: v for k, v in overrides.items() if k not in CONFIGURATION or k in declared}
        merged = {**self.compilable.compile_kwargs, **values}
        return CallableDesign(CompilableDesign(self.compilable.generator, compile_kwargs=merged, **settings))

    def as_mlir(self, *arguments: Any, **values: Any) -> str:
        """The module's text."""
        return self._with(values).compilable.as_mlir()

    def compile(self, *paths: Any, **named: Any) -> Any:
        """See `CompilableDesign.compile`."""
        return self.compilable.compile(*paths, **named)

    def _with(self, values: dict[str, Any]) -> CallableDesign:
        known = set(self.compilable.compile_params)
        tensors = [n for n in values if n in self.compilable.tensor_params]
        if tensors:
            raise TypeError(f"'{self.compilable.name}' takes its tensors by position; {tensors} came by name")
        unknown = [n for n in values if n not in known and not self.compilable.takes(n)]
        if unknown:
            raise TypeError(
                f"'{self.compilable.name}' was given {unknown}, which it has no parameters for.\n"
                f"CompileTime[T] parameters: {self.compilable.compile_params}"
            )
        given = {k: v for k, v in values.items() if k in known}
        return self.specialize(**given) if given else self

    def __call__(self, *arguments: Any, **values: Any) -> Any:
        """Compiles, unless that is done, and runs with these tensors."""
        names = self.compilable.tensor_params
        scalars = self.compilable.scalar_params
        if len(arguments) > len(names) + len(scalars):
            raise TypeError(
                f"'{self.compilable.name}' takes {len(names) + len(scalars)} argument(s) by position "
                f"(tensors {names}, scalars {scalars}), and {len(arguments)} came.\n"
                f"Give the CompileTime[T] parameters {self.compilable.compile_params} by name."
            )
        trace = self.compilable.trace_config
        if trace is not None and "trace_size" in self.compilable.compile_params:
            values.setdefault("trace_size", trace.trace_size)
        ensure_current_device()
        design = self._with(values)
        text = design.compilable.as_mlir()
        running.printed_instead(text, design.compilable.kernels, design.compilable.aiecc_flags)
        from npuninja.python_designs.host.launching import run_design

        return run_design(design.compilable, text, list(arguments))


def jit_third(mlir_generator: Any = None, **options: Any) -> Any:
    """The decorator, bare or with settings and values."""
    if "is_placed" in options:
        raise TypeError("@iron.jit has no is_placed in this generation: leave it out")
    if mlir_generator is None:
        return lambda function: jit_third(function, **options)
    settings = {k: v for k, v in options.items() if k in CONFIGURATION}
    values = {k: v for k, v in options.items() if k not in CONFIGURATION}
    return CallableDesign(CompilableDesign(mlir_generator, compile_kwargs=values, **settings))


def compileconfig(mlir_generator: Any = None, **options: Any) -> Any:
    """As `jit`, without values; gives a CompilableDesign."""
    if mlir_generator is None:
        return lambda function: compileconfig(function, **options)
    return CompilableDesign(mlir_generator, **options)


def jit_older(function: Any = None, *, is_placed: bool = True, use_cache: bool = True, **_: Any) -> Any:
    """`@iron.jit` of the older generations: the function gets the tensors and gives the module."""
    if function is None:
        return lambda f: jit_older(f, is_placed=is_placed, use_cache=use_cache)

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        from npuninja.python_designs.iron.kernel import ExternalFunction

        ExternalFunction.instances.clear()
        for argument in (*arguments, *named.values()):
            if isinstance(argument, ExternalFunction):
                ExternalFunction.instances.append(argument)
        with mlir_mod_ctx() as ctx:
            made = function(*arguments, **named)
        module = made if hasattr(made, "operation") or isinstance(made, Module) else ctx.module
        text = str(module).rstrip("\n") + "\n"
        running.printed_instead(text, ExternalFunction.instances)
        from npuninja.python_designs.host.launching import run_module
        from npuninja.python_designs.host.tensors import NpuTensor

        tensors = [a for a in (*arguments, *named.values()) if isinstance(a, NpuTensor)]
        run_module(text, list(ExternalFunction.instances), tensors)

    return call


def jit(function: Any = None, **options: Any) -> Any:
    """`@iron.jit` of the current generation."""
    from npuninja.python_designs.construct import generation

    return jit_third(function, **options) if generation.is_third() else jit_older(function, **options)
