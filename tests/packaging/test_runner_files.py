"""What of npuninja comes along with a package: all that the runner and the references import, and no more."""

from __future__ import annotations

import pytest

from npuninja.errors import UserError
from npuninja.packaging.runner_files import foreign_imports, imported, runner_files

REFERENCE = b"""
import numpy as np, os.path
from npuninja.remote.settings import X

def reference(inputs):
    import scipy.signal as s
    from . import beside
"""


def test_imports_are_found_wherever_they_stand():
    assert imported(REFERENCE, "x.py") == [
        "numpy", "os.path", "npuninja.remote.settings", "npuninja.remote.settings.X", "scipy.signal",
    ]  # fmt: skip
    assert foreign_imports(REFERENCE, "x.py") == ["scipy"]


@pytest.mark.parametrize(("source", "line"), [(b"import numpy\nimport\n", 2), (b"a = 1\0", 0)])
def test_a_reference_that_is_no_python_is_located(source, line):
    with pytest.raises(UserError, match="not Python") as caught:
        imported(source, "host/gain.py")
    assert caught.value.location is not None
    assert caught.value.location[:2] == ("host/gain.py", line)


def test_what_a_reference_imports_of_npuninja_comes_along():
    plain, more = runner_files({}, True), runner_files({"x.py": REFERENCE}, True)
    added = set(more) - set(plain)
    assert {"runner/npuninja/remote/__init__.py", "runner/npuninja/remote/settings.py"} <= added
    assert all(name.startswith("runner/npuninja/remote/") for name in added)
    assert "runner/npuninja/hints.json" in plain


def test_designs_for_real_cores_bring_no_emulator():
    assert "runner/npuninja/emulator/emulator.py" in runner_files({}, True)
    assert not [name for name in runner_files({}, False) if "/emulator/" in name]
