"""The table of toolchain.toml and what is made of it: reader, schema, reference page, template."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from npuninja.configure.settings import read_settings
from npuninja.errors import UserError
from npuninja.plan.providers import STAGES, WORDS, parse_choices, why_unasked
from npuninja.settings.pages import reference_page, template
from npuninja.settings.places import SettingPlaces
from npuninja.settings.reader import SettingsFile
from npuninja.settings.schema import schema
from npuninja.settings.table import KINDS, PROVIDERS_SECTION, SECTIONS


def compare(path: Path, text: str, regen: bool) -> None:
    if regen:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "made from the table: run the test with --regen"


def test_page_schema_and_template_are_those_of_the_table(regen: bool) -> None:
    compare(ROOT / "docs/toolchain-toml.md", reference_page(), regen)
    compare(ROOT / "npuninja/settings/toolchain.schema.json", json.dumps(schema(), indent=1) + "\n", regen)
    compare(ROOT / "toolchain.toml", template(), regen)


def test_every_example_of_the_template_is_accepted(tmp_path: Path) -> None:
    # A comment is a key or a header when it looks like one; the others are sentences.
    lines = [re.sub(r"^# (?=\[|[\w-]+ = )", "", line) for line in template("x.json").splitlines()]
    path = tmp_path / "toolchain.toml"
    path.write_text("\n".join(lines).replace('inherit = ["base"]', ""), encoding="utf-8")
    content = SettingsFile(str(path)).content
    for section in SECTIONS:
        names = {key.name for key in section.keys}
        table: Any = content.get(section.name) if section.name else content
        if section.named:
            table = table[section.example_name.strip('"')]
        table = table[0] if section.many == "yes" else table
        missing = names - set(table)
        assert missing <= ({"inherit", "npuninja", "generation"} if section.name == "preset" else set())


def test_kinds_and_names_are_known() -> None:
    for section in SECTIONS:
        assert len({key.name for key in section.keys}) == len(section.keys)
        for key in section.keys:
            assert key.kind in KINDS
            assert key.meaning.endswith((".", "`", ")"))


PLACES = """# [no]
top = 1
[a]  # [b]
x = "[y] z = 3"
"q.o" = 2
[a."b.c"]
list = [
  "one", # two = 3
  { deep = 1 },
]
inline = { first = 1, second.third = 2 }
[[many]]
x = 1
[[many]]
x = 2
dotted.key = 3
"""


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        (("top",), 2, 1),
        (("a",), 3, 2),
        (("a", "x"), 4, 1),
        (("a", "q.o"), 5, 1),
        (("a", "b.c"), 6, 2),
        (("a", "b.c", "list"), 7, 1),
        (("a", "b.c", "list", "deep"), 9, 5),
        (("a", "b.c", "inline", "first"), 11, 12),
        (("many", "0", "x"), 13, 1),
        (("many", "1", "x"), 15, 1),
        (("many", "1", "dotted", "key"), 16, 1),
        (("a", "none"), 3, 2),
    ],
)
def test_places_of_keys(path: tuple[str, ...], line: int, column: int) -> None:
    where = SettingPlaces("f", PLACES).of(path)
    assert (where.line, where.column) == (line, column)


PRESETS = """
[configure]
werror = true
[providers]
pdi = "embedded"
[kernel."x.o"]
defines = ["A"]
flags = ["-O1"]
[preset.base]
device = "npu2"
[preset.base.kernel."x.o"]
defines = ["B"]
[preset.fast]
inherit = "base"
generation = "2026-08"
[preset.fast.kernel."x.o"]
flags = ["-O3"]
[preset.fast.configure]
"""


def test_presets_inherit_and_set_everything(tmp_path: Path) -> None:
    path = tmp_path / "toolchain.toml"
    path.write_text(PRESETS.replace("[preset.fast.configure]\n", ""), encoding="utf-8")
    file = SettingsFile(str(path))
    merged = file.with_preset("fast")
    assert merged["configure"] == {"werror": True, "device": "npu2"}
    assert merged["kernel"] == {"x.o": {"defines": ["B"], "flags": ["-O3"]}}
    assert merged["providers"] == {"pdi": "embedded"}
    assert merged["generation"] == "2026-08"
    assert file.place("kernel", "x.o", "flags").line == 17
    assert file.with_preset(None)["kernel"] == {"x.o": {"defines": ["A"], "flags": ["-O1"]}}


WRONG = [
    (PRESETS, "unknown key 'configure' in [preset.fast]"),
    (
        '[preset.a]\ninherit = "b"\n[preset.b]\ninherit = ["a"]\n',
        "presets inherit in a circle: a inherits b inherits a",
    ),
    ('[preset.a]\ninherit = "c"\n', "there is no preset 'c'"),
    ("[kernel]\nx = 1\n", "'x' in [kernel] must be a table, got 1"),
    ('[kernel]\n"x.o" = ["a.c"]\n', "'kernel' must hold tables, got 'a.c'"),
    ("kernel = 3\n", "'kernel' must be a table, got 3"),
    ('[deny]\ntool = "peano"\n', "'deny' must be a list of tables, written [[deny]]"),
    ('[[deny]]\nversions = "1"\n', "[[deny]] needs `tool`"),
    ("[tools]\npeano = true\n", "'peano' must be a path, or false, got true"),
    ('[configure]\nwerror = "yes"\n', "'werror' must be true or false, got 'yes'"),
    ('npuninj = ">=1"\n', "unknown key 'npuninj'"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_is_wrong_is_located(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "toolchain.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        SettingsFile(str(path)).with_preset("a")
    assert message in caught.value.message
    assert caught.value.location is not None
    assert caught.value.location.line > 0


def test_command_line_and_file_take_the_same_providers(tmp_path) -> None:
    """Every word that either could know: what one takes the other takes, and the table offers just that."""
    file = tmp_path / "toolchain.toml"
    for stage, row in STAGES.items():
        offered = PROVIDERS_SECTION.key(stage)
        assert offered is not None
        for word in (*WORDS, *(provider.name for provider in row.providers)):
            file.write_text(f'[providers]\n{stage} = "{word}"\n', encoding="utf-8")
            ways = (partial(parse_choices, [f"{stage}={word}"]), partial(read_settings, str(file)))
            if word in offered.allowed:
                for way in ways:
                    way()
                continue
            for way in ways:
                with pytest.raises(UserError) as caught:
                    way()
                assert why_unasked(stage) in (caught.value.hint or "")
    assert why_unasked("run")
