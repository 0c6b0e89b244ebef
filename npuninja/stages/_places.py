"""Options that name tiles: `0,2`, and a core's program, `0,2=FILE`."""

from __future__ import annotations

from npuninja.errors import UserError


def parse_place(text: str, option: str) -> tuple[int, int]:
    """`0,2` as (column, row)."""
    column, comma, row = text.partition(",")
    if not (comma and column.isdecimal() and row.isdecimal()):
        raise UserError(f"{option} {text}: expected COLUMN,ROW")
    return int(column), int(row)


def parse_images(values: list[str], option: str) -> dict[tuple[int, int], str]:
    """`["0,2=FILE", …]` as place -> file."""
    images: dict[tuple[int, int], str] = {}
    for value in values:
        place, equals, path = value.partition("=")
        if not equals or not path:
            raise UserError(f"{option} {value}: expected COLUMN,ROW=FILE")
        images[parse_place(place, option)] = path
    return images


def image_files(values: list[str]) -> list[str]:
    """The files of `--image`; where several devices have a core at one place, `DEVICE:` says whose it is."""
    found: dict[str, str] = {}
    for value in values:
        place, equals, path = value.partition("=")
        symbol, _, place = place.rpartition(":")
        for (column, row), file in parse_images([place + equals + path], "--image").items():
            found[f"{symbol}:{column},{row}"] = file
    return list(dict.fromkeys(path for _, path in sorted(found.items())))
