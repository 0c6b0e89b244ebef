"""Scripts that nothing but their own text decides. What reaches further is open, and so is what may."""

import pytest

from npuninja.python_designs.script import closed_texts

CLOSED = {
    "text": "print('module {}')",
    "a module beside it": "from beside import text\nimport beside\nprint(text(), __name__)",
    "functions and classes": "class A:\n"
    "  def __init__(self, n):\n"
    "    self.n = n\n"
    "print(A(3).n, sorted({1, 2}))",
}
OPEN = {
    "the environment": "import os\nprint(os.environ['N'])",
    "the time": "from time import time\nprint(time())",
    "chance": "import random\nprint(random.random())",
    "the bindings": "from aie.iron import Program",
    "a package": "import numpy as np",
    "a module that opens a file": "import reads",
    "a module of a package": "import folder.inside",
    "a package beside it": "import folder",
    "a relative import": "from . import beside",
    "a module that is not there": "try:\n  import nothing\nexcept ImportError:\n  print(1)",
    "a module named as one of Python's": "import json",
    "a file": "print(open('n').read())",
    "its input": "print(input())",
    "text that is run": "exec('import os')",
    "an import by name": "__import__('os')",
    "ways around": "print(().__class__.__base__.__subclasses__())",
    "its globals": "print(globals())",
    "its place": "print(__file__)",
    "no Python": "print(",
}
BESIDE = {
    "beside": "def text():\n  return 'module {}'",
    "reads": "n = open('n').read()",
    "json": "",
    "folder/inside": "",
    "folder": "",
}


@pytest.mark.parametrize(
    ("text", "closed"),
    [*((t, True) for t in CLOSED.values()), *((t, False) for t in OPEN.values())],
    ids=[*CLOSED, *OPEN],
)
def test_closed_scripts(tmp_path, text, closed):
    (tmp_path / "folder").mkdir()
    for name, content in BESIDE.items():
        (tmp_path / f"{name}.py").write_text(content)
    (tmp_path / "design.py").write_text(text)
    texts = closed_texts(str(tmp_path / "design.py"))
    assert (texts is not None) == closed
    if texts is not None:
        assert texts[str(tmp_path / "design.py")] == text
        assert (str(tmp_path / "beside.py") in texts) == ("beside" in text)


def test_a_script_that_is_not_there_is_open(tmp_path):
    assert closed_texts(str(tmp_path / "none.py")) is None
