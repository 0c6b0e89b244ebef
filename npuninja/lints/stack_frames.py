"""Lint: the functions of a core need more stack than `stack_size` gives."""

from __future__ import annotations

from npuninja import TYPE_CHECKING
from npuninja.arch.devices import advised_stack_bytes
from npuninja.errors import Location, Warnings
from npuninja.lints.kernel_code import KernelFunction
from npuninja.records import NamedTuple

if TYPE_CHECKING:
    from typing import Sequence


class StackNeed(NamedTuple):
    """The chain of calls that needs most, its bytes, and a function whose calls run in a circle, if any."""

    stack_bytes: int
    chain: tuple[KernelFunction, ...]
    circle: KernelFunction | None


def stack_need(entry: str, objects: Sequence[Sequence[KernelFunction]]) -> StackNeed | None:
    """The stack that `entry` needs with all it calls, but not by pointer; None when no object has `entry`."""
    visible = {f.name: f for functions in objects for f in functions}
    own = {(f.path, f.name): f for functions in objects for f in functions}
    known: dict[KernelFunction, StackNeed] = {}

    def deepest(function: KernelFunction, callers: tuple[KernelFunction, ...]) -> StackNeed:
        if function in callers:
            return StackNeed(0, (), function)
        if function not in known:
            below = StackNeed(0, (), None)
            circle = None
            for name in function.calls():
                callee = own.get((function.path, name)) or visible.get(name)
                if callee is not None:
                    found = deepest(callee, (*callers, function))
                    circle = circle or found.circle
                    below = max(below, found, key=lambda d: d.stack_bytes)
            known[function] = StackNeed(
                function.frame_bytes + below.stack_bytes, (function, *below.chain), circle
            )
        return known[function]

    return deepest(visible[entry], ()) if entry in visible else None


def check_stack(
    core: str,
    entry: str,
    objects: Sequence[Sequence[KernelFunction]],
    stack_bytes: int,
    place: Location,
    warnings: Warnings,
) -> None:
    """Warns when the frames along the deepest chain of calls fill the stack, or when calls run in a circle.

    The frames are those of the emulated core: only arrays and variables whose address is taken. An NPU needs
    as much, and more for spilled registers and return addresses. Calls by pointer are not followed.

    Args:
        core: for people, `core (0, 2)`.
        entry: the core's function.
        objects: the functions of each object that is linked.
        stack_bytes: `stack_size` of the core.
        place: of the core in the design.
        warnings: where to add.
    """
    found = stack_need(entry, objects)
    if found is None:
        return
    if found.circle is not None:
        warnings.add(
            f"{core}: {found.circle.name} calls itself, perhaps by way of others, "
            "so how much stack it needs is not known",
            found.circle.location,
        )
    # Equal is too much on an NPU: return addresses and the core's own frame come on top.
    if found.stack_bytes >= stack_bytes:
        chain = ", ".join(f"{f.name} {f.frame_bytes}" for f in found.chain if f.frame_bytes)
        largest = max(found.chain, key=lambda f: f.frame_bytes)
        warnings.add(
            f"{core} needs {found.stack_bytes} bytes of stack or more ({chain}), but its stack_size is "
            f"{stack_bytes}: set stack_size = {advised_stack_bytes(found.stack_bytes)} : i32 on the core at "
            f"{place}, or make arrays static",
            largest.location,
        )
