"""`aie.extras.runtime.passes`: pipelines of passes made by calls, `Pipeline().canonicalize().cse()`."""

from __future__ import annotations

from typing import Any, Callable

from npuninja.errors import UserError
from npuninja.python_designs.construct.insertion import Module
from npuninja.python_designs.host.pass_manager import PassManager


class MlirCompilerError(Exception):
    """A pipeline could not be run."""


class Pipeline:
    """Passes in order. Each is a method, its name with `_` for `-`; options are keywords, with `_` or `-`."""

    def __init__(self, pipeline: list[str] | None = None, wrapper: Any = None) -> None:
        self._pipeline = list(pipeline or [])

    def Nested(self, context: str, p: Pipeline) -> Pipeline:
        """Passes that run on the operations `context`."""
        inside = p.materialize(module=False)
        self._pipeline.append(f"{context}({inside})")
        return self

    def Func(self, p: Pipeline) -> Pipeline:
        """Passes that run on functions."""
        return self.Nested("func.func", p)

    def add_pass(self, pass_name: str, **kwargs: Any) -> Pipeline:
        """One pass; options that are None are left out."""
        options = " ".join(
            f"{name}={int(value) if isinstance(value, bool) else value}"
            for name, value in kwargs.items()
            if value is not None
        )
        self._pipeline.append(f"{pass_name}{{ {options} }}" if options else pass_name)
        return self

    def __getattr__(self, name: str) -> Callable[..., Pipeline]:
        if name.startswith("_"):
            raise AttributeError(name)

        def add(**options: Any) -> Pipeline:
            return self.add_pass(
                name.replace("_", "-"), **{key.replace("_", "-"): value for key, value in options.items()}
            )

        return add

    def materialize(self, module: bool = True) -> str:
        """The pipeline as mlir-opt takes it, for a module or for what is in one."""
        text = ",".join(self._pipeline)
        return f"builtin.module({text})" if module else text

    def __str__(self) -> str:
        return self.materialize()

    def __iadd__(self, other: Pipeline) -> Pipeline:
        self._pipeline += other._pipeline
        return self

    def __add__(self, other: Pipeline) -> Pipeline:
        return Pipeline([*self._pipeline, *other._pipeline])


def run_pipeline(
    module: Any,
    pipeline: str | Pipeline,
    description: str | None = None,
    enable_ir_printing: bool = False,
    print_pipeline: bool = False,
    verify: bool = True,
) -> Module:
    """A copy of the module after the passes.

    Raises:
        MlirCompilerError: a pass cannot do its work, or is not offered.
    """
    made = Module.parse(str(module))
    try:
        manager = PassManager.parse(str(pipeline))
        if print_pipeline:
            print(manager)
        if enable_ir_printing:
            manager.enable_ir_printing()
        manager.run(made)
    except (UserError, ValueError, NotImplementedError) as error:
        raise MlirCompilerError(f"{description or 'the pipeline'} failed: {error}") from None
    return made
