"""Notebooks as programs."""

import json

import pytest

from npuninja.errors import UserError
from npuninja.formats.notebook import program_of_notebook


def notebook(*sources, **more):
    cells = [{"cell_type": "code", "source": source} for source in sources]
    return json.dumps({"nbformat": 4, "cells": cells, **more})


def ran(text):
    names = {}
    exec(program_of_notebook(text, "n.ipynb"), names)
    return names


def test_cells_run_in_order_without_what_only_shows():
    names = ran(
        notebook(
            "%matplotlib inline\na = 1", ["%%time\n", "a += 2\n", "a"], "if a:\n    %precision 3\nb = a % 2"
        )
    )
    assert (names["a"], names["b"]) == (3, 1)


def test_texts_over_several_lines_are_no_magic():
    assert ran(notebook('a = """\n!x\n%y\n"""'))["a"] == "\n!x\n%y\n"


@pytest.mark.parametrize(
    "line",
    ["!ls", "%run other.py", "%%bash\nls", "files = !ls", "x = %who", "?print", "print?", "%%kernel\nint f;"],
)
def test_what_only_ipython_runs_is_refused(line):
    with pytest.raises(UserError, match=r"cell 2 has .* which IPython runs"):
        program_of_notebook(notebook("a = 1", line), "n.ipynb")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"cells": 3}',
        '{"cells": [{"cell_type": "code"}]}',
        notebook(metadata={"language_info": {"name": "R"}}),
    ],
)
def test_other_files_are_refused(text):
    with pytest.raises(UserError, match="notebook"):
        program_of_notebook(text, "n.ipynb")
