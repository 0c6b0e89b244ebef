"""The main function of designs of summer 2026: print, compile only, or run and verify."""

from __future__ import annotations

import sys
from typing import Any, Callable

from npuninja.arch.families import DEFAULT
from npuninja.python_designs import running
from npuninja.python_designs.iron.current_device import get_current_device, set_current_device
from npuninja.python_designs.iron.device import Device, from_name


def run_design_cli(
    design: Any,
    opts: Any,
    *,
    compile_kwargs: Any,
    run_and_verify: Callable[[Any], Any] | None = None,
    device: Any = None,
    emit_mlir: Callable[[Any], Any] | None = None,
    validate: Callable[[Any], Any] | None = None,
) -> Any:
    """Does what the options ask for. Wrong combinations end the program with a text."""

    def option(name: str) -> Any:
        return getattr(opts, name, None)

    xclbin, insts, full_elf = option("xclbin_path"), option("insts_path"), option("full_elf_path")
    if bool(xclbin) != bool(insts):
        sys.exit("--xclbin-path and --insts-path go together: give both or neither")
    if full_elf and (xclbin or insts):
        sys.exit("--full-elf-path replaces --xclbin-path and --insts-path; leave out the one or the others")
    wants_files = bool(xclbin or full_elf)
    _choose_device(opts, device, bool(option("emit_mlir")), wants_files)
    if validate is not None:
        validate(opts)
    values = compile_kwargs(opts) if callable(compile_kwargs) else dict(compile_kwargs)
    if option("emit_mlir"):
        if emit_mlir is not None:
            return emit_mlir(opts)
        print(design.specialize(**values).as_mlir())
        return None
    if full_elf:
        return design.specialize(full_elf=True, **values).compile(full_elf_path=full_elf)
    if xclbin:
        more = {k: option(k) for k in ("elf_path", "pdi_path") if option(k)}
        design.specialize(**values).compile(xclbin_path=xclbin, inst_path=insts, **more)
        return None
    if run_and_verify is None:
        if running.PRINTS_ONLY:  # what could only be compiled is what is wanted
            design.specialize(**values).compile()
        sys.exit(
            "this design only builds (run_design_cli has no run_and_verify): "
            "give --xclbin-path and --insts-path"
        )
    return run_and_verify(opts)


def _choose_device(opts: Any, device: Any, emits: bool, compiles: bool) -> None:
    name = getattr(opts, "dev", None)
    if name:
        chosen = device(opts) if callable(device) and not isinstance(device, (Device, type)) else None
        set_current_device(chosen or from_name(name))
        return
    if isinstance(device, Device):
        set_current_device(device)
        return
    if emits and running.DEVICE is None:
        sys.exit("--emit-mlir prints for one device; name it with --dev")
    if hasattr(opts, "dev"):
        opts.dev = "npu" if running.DEVICE in (None, DEFAULT) else running.DEVICE
        chosen = device(opts) if callable(device) and not isinstance(device, type) else None
        set_current_device(chosen or from_name(opts.dev))
        return
    set_current_device(get_current_device())
