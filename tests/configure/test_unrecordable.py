"""Names of folders that Ninja's depfiles cannot carry are said."""

from __future__ import annotations

import pytest

from npuninja.configure.settings_checks import unrecordable
from npuninja.plan.layout import Layout


@pytest.mark.parametrize(
    ("package", "source_root", "ninja_folder", "count"),
    [
        ("/opt/npuninja", "/home/a b/p", "/home/a b/p", 0),
        ("/opt/x|y/npuninja", "/home/p", "/home/p", 1),
        ("/opt/npuninja", "/home/we*rd", "/home/we*rd/build", 0),  # names are relative there
        ("/opt/npuninja", "/home/we*rd", "/elsewhere", 1),
        ("/opt/a;b/npuninja", "/home/we*rd", "/elsewhere", 2),
    ],
)
def test_what_is_built_each_time(package: str, source_root: str, ninja_folder: str, count: int) -> None:
    assert len(unrecordable(package, Layout(source_root, ninja_folder, ""))) == count
