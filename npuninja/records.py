"""Records: what `dataclasses` and `typing.NamedTuple` have, as far as it is used here, without their price.

`dataclasses` generates and compiles some six functions for each class, and imports `inspect` for that: with
forty classes a quarter of the time of a configure without a change. `NamedTuple` compiles the type of each
field to check it, which was a quarter of a lowering. To type checkers these are the originals.
"""

from __future__ import annotations

from types import CodeType, FunctionType

from npuninja import TYPE_CHECKING

__all__ = ("KW_ONLY", "NamedTuple", "field", "record", "replace")

if TYPE_CHECKING:
    from dataclasses import KW_ONLY, field, replace
    from dataclasses import dataclass as record
    from typing import Any, Callable, Iterable, NamedTuple, NoReturn
else:
    # The type of namedtuple's own fields, which has no public name. `property(itemgetter(place))` takes twice
    # as long to read a field.
    try:
        from _collections import _tuplegetter
    except ImportError:  # another Python than CPython; to load `collections` takes 5 ms
        from collections import _tuplegetter

    class KW_ONLY:  # noqa: N801  (as dataclasses calls it)
        """As a type: the fields after it are given by name."""

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
        shown = ", ".join(f"{name}={fields[name]!r}" for name in self.record_fields)
        return f"{type(self).__qualname__}({shown})"

    def _refuse_change(self: Any, name: str, *value: Any) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} is not changed: {name}")

    _makers: dict[int, CodeType] = {}

    def _maker(fields: tuple[str, ...], defaults: tuple[Any, ...]) -> Callable[..., Any]:
        """The `__new__` of tuples with these fields: that of others with as many, its arguments renamed."""
        code = _makers.get(len(fields))
        if code is None:
            given = "".join(f"f{number}, " for number in range(len(fields)))
            code = _makers[len(fields)] = eval(f"lambda cls, {given}: new(cls, ({given}))").__code__
        code = code.replace(co_varnames=("cls", *fields), co_name="__new__")
        return FunctionType(code, {"new": tuple.__new__}, "__new__", defaults)

    class _NamedTupleType(type):
        """Makes a class of annotated fields a class of tuples."""

        def __new__(meta, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> type:
            if not bases:
                return super().__new__(meta, name, bases, namespace)
            fields = tuple(namespace.get("__annotations__", ()))
            defaults = {field: namespace[field] for field in fields if field in namespace}
            namespace |= {field: _tuplegetter(place, field) for place, field in enumerate(fields)}
            made = _maker(fields, tuple(defaults.values()))
            namespace |= {"__slots__": (), "__new__": made, "_fields": fields, "_field_defaults": defaults}
            return type(name, (_Tuple,), {"__match_args__": fields, **namespace})

    class _Tuple(tuple):
        """What all classes of named tuples have."""

        __slots__ = ()

        @classmethod
        def _make(cls, values: Iterable[Any]) -> Any:
            return cls(*values)

        def _replace(self, /, **changes: Any) -> Any:
            made = self._make(map(changes.pop, self._fields, self))
            if changes:
                raise ValueError(f"{type(self).__name__} has no field {', '.join(changes)}")
            return made

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self))

        def __repr__(self) -> str:
            shown = ", ".join([f"{name}={value!r}" for name, value in zip(self._fields, self)])
            return f"{type(self).__name__}({shown})"

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

    class NamedTuple(metaclass=_NamedTupleType):
        """The base of classes of tuples whose fields have names, types and defaults."""
