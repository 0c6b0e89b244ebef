"""Lines of make as commands."""

import pytest

from npuninja.porting.make_words import read_make_words
from npuninja.porting.shell_words import commands_of

LINES = {
    "cp a b": [("/f", ["cp", "a", "b"], "", True)],
    "cd build && clang -c x.c -o x.o;": [("/f/build", ["clang", "-c", "x.c", "-o", "x.o"], "", True)],
    "python3 d.py -n 'a b' > out/x.mlir": [("/f", ["python3", "d.py", "-n", "a b"], "/f/out/x.mlir", True)],
    "python3 d.py>x.mlir 2>/dev/null": [("/f", ["python3", "d.py"], "/f/x.mlir", True)],
    "python3 d.py > x.mlir 2>&1": [("/f", ["python3", "d.py"], "/f/x.mlir", True)],
    "python3 d.py -ch 2 > x.mlir": [("/f", ["python3", "d.py", "-ch", "2"], "/f/x.mlir", True)],
    "python3 d.py 2 1> x.mlir 2>> log": [("/f", ["python3", "d.py", "2"], "/f/x.mlir", True)],
    "cd _build &&  cmake `echo /src` -DA=1": [("/f/_build", ["cmake", "/src", "-DA=1"], "", True)],
    "mkdir -p $(dirname build/x.bin)": [("/f", ["mkdir", "-p", "build"], "", True)],
    "a; cd b; c": [("/f", ["a"], "", True), ("/f/b", ["c"], "", True)],
    "test -e x || touch x": [("/f", ["test", "-e", "x"], "", False), ("/f", ["touch", "x"], "", False)],
    "if [ -e x ]; then cp x y; fi": None,
    "echo 'unfinished": [("/f", ["echo 'unfinished"], "", False)],
    "# a comment": [],
    "": [],
    "aiecc --a \\\n\t--b x.mlir": [("/f", ["aiecc", "--a", "--b", "x.mlir"], "", True)],
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_taken_apart(line):
    found = [(c.folder, list(c.words), c.stdout, c.alone) for c in commands_of(line, "/f")]
    if LINES[line] is None:
        assert found
        assert not any(alone for *_, alone in found)
    else:
        assert found == LINES[line]


def test_assignments_in_front_are_the_environment():
    (command,) = commands_of("A=1 B='x y' ./run.exe C=2", "/f")
    assert (command.environment, command.words) == ((("A", "1"), ("B", "x y")), ("./run.exe", "C=2"))


@pytest.mark.parametrize(
    ("line", "folder", "makefile", "variables", "targets"),
    [
        ("", "", "", {}, ()),
        ("-j run", "", "", {}, ("run",)),
        ("-j 4 run A=b=c", "", "", {"A": "b=c"}, ("run",)),
        ("-j4 -l 2.5 -k all run", "", "", {}, ("all", "run")),
        ("-C sub -C ../other -f my.mk", "sub/../other", "my.mk", {}, ()),
        ("-C /absolute -s", "/absolute", "", {}, ()),
        ("-W file.c -o old.o -I inc x", "", "", {}, ("x",)),
    ],
)
def test_the_words_behind_make(line, folder, makefile, variables, targets):
    assert read_make_words(line.split()) == (folder, makefile, variables, targets)
