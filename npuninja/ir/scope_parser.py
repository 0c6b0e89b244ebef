"""Which values and blocks a name stands for while text is read, and uses before definitions."""

from __future__ import annotations

from npuninja.errors import UserError
from npuninja.ir.attribute_parser import AttributeParser
from npuninja.ir.core import Block, Operation, Value
from npuninja.suggestions import did_you_mean

# What an isolated operation hides: visible values, names to forget, placeholders.
OuterScope = tuple[dict[str, list[Value]], list[list[str]], dict[str, tuple[Value, int]]]


class ScopeParser(AttributeParser):
    """The part of the parser that knows values and blocks by name.

    In MLIR a value may be used before its definition is read (blocks are in any order). Such a use gets a
    placeholder until the definition comes; `verify` checks that the definition really comes first.
    """

    def __init__(self, text: str, file: str) -> None:
        super().__init__(text, file)
        self._visible_values: dict[str, list[Value]] = {}  # all results of each name
        self._defined_names: list[list[str]] = [[]]  # the names to forget at the end of each open region
        self._forward: dict[
            str, tuple[Value, int]
        ] = {}  # used before their definition: placeholder, first use
        self._open_blocks: list[dict[str, Block]] = []  # by open region, the blocks by label
        self._undefined_blocks: list[dict[str, int]] = []  # by open region, first use of blocks not yet seen

    # Values

    def use(self, type: str) -> Value:
        """Reads a use of a value. `type` is its type, or "" when that is read later."""
        token = self.tokens[self.i]
        if token[:1] != "%" or token == "%":
            self.expected("a value such as '%x'")
        known = self._visible_values.get(token)
        if known is None:
            known = self._use_unseen(token)
        value = known[0]
        self.i += 1
        if type and value.type != type:
            self.require_type(value, type, self.i - 1)
        return value

    def _use_unseen(self, token: str) -> list[Value]:
        """The value of a use such as `%x#1`, or a placeholder for one that is defined further down."""
        name, _, number = token.partition("#")
        results = self._visible_values.get(name)
        if results is not None and number:
            if int(number) >= len(results):
                self.error(f"'{name}' has {len(results)} results, there is no '{token}'")
            return [results[int(number)]]
        if token not in self._forward:
            self._forward[token] = (Value("", token[1:]), self.i)
        return [self._forward[token][0]]

    def require_type(self, value: Value, type: str, place: int) -> None:
        """Gives a placeholder its type, or reports that a value has another one."""
        if value.type == "":
            value.type = type
        elif value.type != type:
            self.error(f"'{self.tokens[place]}' has type {value.type}, expected {type}", place)

    def define(self, token: str, values: list[Value], start: int, count: int, place: int) -> None:
        """Makes `values[start:start + count]` visible as `token`, in place of any placeholders for them."""
        if token in self._visible_values:
            owner = self._visible_values[token][0].owner
            error = self._error_of(f"'{token}' is defined twice", place)
            if isinstance(owner, Operation):
                error.notes = (("first defined here", owner.loc),)
            raise error
        if self._forward:
            self._resolve(token, values, start, count)
        group = values[start : start + count]
        if not token[1:].isdecimal():
            group[0].name = token[1:]
        self._visible_values[token] = group
        self._defined_names[-1].append(token)

    def define_results(self, op: Operation, names: list[tuple[str, int]]) -> None:
        """Makes the results of `op` visible.

        Args:
            op: the operation.
            names: name and token of each result; "" for the second and further ones of a group.
        """
        if names and len(names) != len(op.results):
            self.error(f"'{op.name}' has {len(op.results)} results, but {len(names)} are named", names[0][1])
        i = 0
        while i < len(names):
            name, at = names[i]
            group = 1
            while i + group < len(names) and not names[i + group][0]:
                group += 1
            self.define("%" + name, op.results, i, group, at)
            i += group

    def _error_of(self, message: str, place: int) -> UserError:
        try:
            self.error(message, place)
        except UserError as error:
            return error

    def _resolve(self, token: str, values: list[Value], start: int, count: int) -> None:
        for number in range(count):
            for spelling in (token, f"{token}#{number}") if number == 0 else (f"{token}#{number}",):
                if spelling not in self._forward:
                    continue
                placeholder, place = self._forward.pop(spelling)
                value = values[start + number]
                if placeholder.type and placeholder.type != value.type:
                    self.error(
                        f"'{spelling}' has type {value.type}, but is used as {placeholder.type}", place
                    )
                placeholder.type, placeholder.name, placeholder.owner = value.type, "", value.owner
                values[start + number] = placeholder

    def require_no_undefined_values(self) -> None:
        """Reports the first use of a value that has no definition."""
        if not self._forward:
            return
        token, (_, place) = min(self._forward.items(), key=lambda item: item[1][1])
        self.error(
            f"use of undefined value '{token}'",
            place,
            hint=did_you_mean(token, self._visible_values) or "define it above its use",
        )

    def enter_isolated(self) -> OuterScope:
        """Hides all values; returns what `leave_isolated` brings back."""
        outer = self._visible_values, self._defined_names, self._forward
        self._visible_values, self._defined_names, self._forward = {}, [[]], {}
        return outer

    def leave_isolated(self, outer: OuterScope) -> None:
        """Forgets the values since `enter_isolated`; a use without a definition is an error."""
        self.require_no_undefined_values()
        self._visible_values, self._defined_names, self._forward = outer

    # Regions and blocks

    def enter_region(self) -> None:
        """From here on, values and blocks are those of a region inside."""
        self._defined_names.append([])
        self._open_blocks.append({})
        self._undefined_blocks.append({})

    def leave_region(self) -> None:
        """Forgets the values and blocks of the region; a block that is only referred to is an error."""
        self._open_blocks.pop()
        undefined = self._undefined_blocks.pop()
        if undefined:
            label, place = next(iter(undefined.items()))
            self.error(f"reference to undefined block '{label}'", place)
        for name in self._defined_names.pop():
            del self._visible_values[name]

    def block_header(self) -> Block:
        """Reads `^label(%x: type, …):`."""
        label = self.tokens[self.i]
        block = self._block_called(label)
        if self._undefined_blocks[-1].pop(label, None) is None:
            self.error(f"block '{label}' is defined twice")
        self.i += 1
        if self.accept("("):
            positions: list[int] = []
            block.args = self.comma_separated(lambda: self.typed_name(positions), ")")
            self.define_arguments(block, positions)
        self.expect(":")
        return block

    def define_arguments(self, block: Block, positions: list[int]) -> None:
        """Makes the arguments of `block` visible under the names at these tokens."""
        for i, place in enumerate(positions):
            block.args[i].owner = block
            self.define(self.tokens[place], block.args, i, 1, place)

    def typed_name(self, positions: list[int]) -> Value:
        """Reads `%x: type` as a new value that is not yet visible; notes its token in `positions`."""
        positions.append(self.i)
        if self.tokens[self.i][:1] != "%":
            self.expected("a value name such as '%x'")
        self.i += 1
        self.expect(":")
        value = Value(self.parse_type())
        if self.tokens[self.i] == "loc":
            self.i += 1
            self.skip_balanced("(", ")")
        return value

    def _block_called(self, label: str) -> Block:
        """The block called `label` in the region that is being read; noted as undefined when first seen."""
        blocks = self._open_blocks[-1]
        block = blocks.get(label)
        if block is None:
            block = blocks[label] = Block(label=label[1:])
            self._undefined_blocks[-1][label] = self.i
        return block

    def successor(self, arguments: bool) -> tuple[Block, list[Value]]:
        """Reads `^label`, and `(%x, … : type, …)` after it if `arguments`."""
        label = self.tokens[self.i]
        if label[:1] != "^" or not self._open_blocks:
            self.expected("a block such as '^bb1'")
        block = self._block_called(label)
        self.i += 1
        passed: list[Value] = []
        if arguments and self.accept("("):
            positions: list[int] = []
            while not self.accept(":"):
                if passed:
                    self.expect(",")
                positions.append(self.i)
                passed.append(self.use(""))
            types = self.comma_separated(self.parse_type, ")")
            if len(types) != len(passed):
                self.error(f"{len(passed)} values but {len(types)} types", positions[0])
            for value, type, place in zip(passed, types, positions):
                self.require_type(value, type, place)
        return block, passed
