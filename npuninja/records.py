"""Records: what `dataclasses` has, as far as it is used here, without its price.

It generates and compiles the source of some six functions for each class, and imports `inspect` for that: with forty classes
a quarter of the time of a configure without a change. To type checkers records are dataclasses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, NoReturn

__all__ = ("KW_ONLY", "field", "record", "replace")

if TYPE_CHECKING:
    from dataclasses import KW_ONLY, field, replace
    from dataclasses import dataclass as record
else:

    class KW_ONLY:  # noqa: N801  (as dataclasses calls it)
        """As a type: the fields behind it are given by name."""

    class field:  # noqa: N801
        """The default of a field of which each record has its own."""

        def __init__(self, *, default_factory: Callable[[], Any]) -> None:
            self.default_factory = default_factory

    def replace(instance: Any, /, **changes: Any) -> Any:
        """A record like another, with other values in some fields."""
        given = instance.__dict__
        return type(instance)(**{name: given[name] for name in instance.record_fields} | changes)

    def record(
        cls: type | None = None, /, *, frozen: bool = False, kw_only: bool = False
    ) -> type | Callable[[type], type]:
        """Makes a class a record of its annotated attributes, equal to others by their values."""
        if cls is None:
            return lambda of: record(of, frozen=frozen, kw_only=kw_only)
        names = [name for name, kind in cls.__annotations__.items() if kind != "KW_ONLY"]
        by_place = [] if kw_only else names
        if "KW_ONLY" in cls.__annotations__.values():
            by_place = names[: list(cls.__annotations__.values()).index("KW_ONLY")]
        defaults = {name: cls.__dict__[name] for name in names if name in cls.__dict__}
        for name, default in defaults.items():
            if isinstance(default, field):
                delattr(cls, name)
        cls.record_fields = tuple(names)
        cls.__init__ = _initialiser(
            cls.__name__, names, by_place, defaults, getattr(cls, "__post_init__", None)
        )
        cls.__eq__, cls.__repr__ = _equals, _representation
        cls.__hash__ = _hash if frozen else None
        if frozen:
            cls.__setattr__ = cls.__delattr__ = _refuse_change
        return cls

    def _initialiser(
        title: str,
        names: list[str],
        by_place: list[str],
        defaults: dict[str, Any],
        afterwards: Callable[[Any], None] | None,
    ) -> Callable[..., None]:
        known = set(names)
        plain = {name: value for name, value in defaults.items() if type(value) is not field}
        makers = {name: value.default_factory for name, value in defaults.items() if type(value) is field}

        def __init__(self: Any, /, *values: Any, **named: Any) -> None:  # noqa: N807
            fields = self.__dict__
            fields.update(plain)
            if values:
                fields.update(zip(by_place, values))
                if len(values) > len(by_place) or not named.keys().isdisjoint(by_place[: len(values)]):
                    raise TypeError(f"{title} takes {', '.join(by_place)} by place, each once")
            fields.update(named)
            for name, make in makers.items():
                if name not in fields:
                    fields[name] = make()
            if fields.keys() != known:
                wrong = ", ".join(sorted(fields.keys() ^ known))
                raise TypeError(f"{title}: no such field, or no value for it: {wrong}")
            if afterwards is not None:
                afterwards(self)

        return __init__

    def _values(instance: Any) -> tuple[Any, ...]:
        fields = instance.__dict__
        return tuple([fields[name] for name in instance.record_fields])

    def _equals(self: Any, other: Any) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return _values(self) == _values(other)

    def _hash(self: Any) -> int:
        return hash(_values(self))

    def _representation(self: Any) -> str:
        fields = self.__dict__
        return f"{type(self).__qualname__}({', '.join(f'{name}={fields[name]!r}' for name in self.record_fields)})"

    def _refuse_change(self: Any, name: str, *value: Any) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} is not changed: {name}")
