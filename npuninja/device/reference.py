"""A design's NumPy reference (`host/NAME.py`): loading it, and taking its answers only as they should be."""

from __future__ import annotations

import functools
import importlib.util
import inspect
import os
import sys
import traceback
from types import ModuleType
from typing import Any, Callable, Sequence

import numpy as np

from npuninja.device.arrays import NumpyArray, check_array
from npuninja.device.manifest import Argument
from npuninja.device.output_comparison import Tolerance
from npuninja.errors import Location, UserError
from npuninja.own_bytecode import keep_only_own_bytecode


class Reference:
    """The reference of one design.

    Args:
        path: its file.
        kernel, sequence: of a design with several, the ones that are meant; its functions may take parameters
            of these names.

    Raises:
        UserError: it cannot be loaded, or lacks one of its two functions.
    """

    def __init__(self, path: str, kernel: str | None = None, sequence: str | None = None) -> None:
        self.path = path
        name = os.path.splitext(os.path.basename(path))[0]
        spec = importlib.util.spec_from_file_location(f"npuninja_reference_{name}", path)
        if spec is None or spec.loader is None or not os.path.exists(path):
            raise UserError(
                f"the reference {path} is missing", hint="build the design again; see host/README.md"
            )
        module = importlib.util.module_from_spec(spec)
        # Modules that references share lie beside them.
        folder = os.path.dirname(os.path.abspath(path))
        if folder not in sys.path:
            sys.path.insert(0, folder)
        keep_only_own_bytecode()
        self._guard("loading it", lambda: spec.loader.exec_module(module))  # type: ignore[union-attr]
        # Only of a design with several: `kernel` may be any parameter of another's function.
        self._meant = {"kernel": kernel or "", "sequence": sequence} if sequence else {}
        self._inputs = self._function(module, "inputs")
        self._reference = self._function(module, "reference")
        self._tolerances = getattr(module, "tolerances", {})

    def tolerances(self, outputs: Sequence[Argument]) -> list[Tolerance]:
        """How far each output may be off, by `tolerances = {"NAME": {"atol": …, "rtol": …, "ulp": …}}` of the
        reference; `"*"` is for all outputs, a number for that output in order.

        Raises:
            UserError: it is not a table, or names an output that does not exist.
        """
        table, where = self._tolerances, Location(self.path)
        hint = 'write tolerances = {"OUTPUT": {"atol": 1e-3, "rtol": 1e-2, "ulp": 2}}; see host/README.md'
        if not isinstance(table, dict) or not all(isinstance(entry, dict) for entry in table.values()):
            raise UserError("`tolerances` is not a table of tables", where, hint=hint)
        names = [argument.name for argument in outputs]
        for key, entry in table.items():
            # Of a design with several sequences the table is for all of them.
            if key != "*" and key not in names and key not in range(len(names)) and not self._meant:
                raise UserError(f"`tolerances` names {key!r}; outputs: {', '.join(names)}", where, hint=hint)
            for word, value in entry.items():
                if word not in Tolerance._fields or not isinstance(value, (int, float)) or not value >= 0:
                    raise UserError(f"`tolerances` of {key!r} has {word!r}: {value!r}", where, hint=hint)
        found = []
        for position, name in enumerate(names):
            entry = {**table.get("*", {}), **table.get(position, {}), **table.get(name, {})}
            found.append(Tolerance(**entry))
        return found

    def _function(self, module: ModuleType, name: str) -> Callable[..., Any]:
        function = getattr(module, name, None)
        if not callable(function):
            raise UserError(
                f"the reference has no function {name}()", Location(self.path), hint="see host/README.md"
            )
        try:
            taken = inspect.signature(function).parameters
        except (TypeError, ValueError):  # what is no Python function may not tell
            return function  # type: ignore[no-any-return]
        return functools.partial(
            function, **{name: said for name, said in self._meant.items() if name in taken}
        )

    def _guard(self, doing: str, call: Callable[[], Any]) -> Any:
        """Runs the user's code; what it raises becomes an error at its own line."""
        try:
            return call()
        except Exception as error:
            own = os.path.abspath(self.path)
            frames = [
                f for f in traceback.extract_tb(error.__traceback__) if os.path.abspath(f.filename) == own
            ]
            line = frames[-1].lineno if frames else getattr(error, "lineno", None)
            raise UserError(
                f"{type(error).__name__} while {doing}: {error}",
                Location(self.path, line or 0),
                hint="see host/README.md",
            ) from error

    def inputs(self, arguments: Sequence[Argument], seed: int) -> list[NumpyArray]:
        """The test data for all inputs among the design's `arguments`, the same for the same seed."""
        rng = np.random.default_rng(seed)
        arrays = self._guard("making inputs", lambda: self._inputs(rng, list(arguments)))
        return self._checked(arrays, [a for a in arguments if a.is_input], "inputs()")

    def results(self, arguments: Sequence[Argument], inputs: list[NumpyArray]) -> list[NumpyArray]:
        """The right outputs. The reference gets copies, so it cannot change what the device gets."""
        copies = [array.copy() for array in inputs]
        arrays = self._guard("computing the result", lambda: self._reference(copies))
        return self._checked(arrays, [a for a in arguments if a.is_output], "reference()")

    def _checked(self, arrays: Any, arguments: list[Argument], source: str) -> list[NumpyArray]:
        location = Location(self.path)
        if not isinstance(arrays, (list, tuple)):
            raise UserError(f"{source} returns {type(arrays).__name__}, expected a list of arrays", location)
        if len(arrays) != len(arguments):
            names = ", ".join(a.name for a in arguments)
            raise UserError(
                f"{source} returns {len(arrays)} arrays, expected {len(arguments)}: {names}", location
            )
        return [check_array(array, argument, source, location) for array, argument in zip(arrays, arguments)]
