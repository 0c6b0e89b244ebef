import subprocess

import pytest

from npuninja.emit.escape import command_value, escape_path, escape_value, quote_word
from npuninja.errors import UserError


@pytest.mark.parametrize(
    ("text", "path", "value", "word"),
    [
        ("plain/a-b_c.d", "plain/a-b_c.d", "plain/a-b_c.d", "plain/a-b_c.d"),
        ("a b", "a$ b", "a b", "'a b'"),
        ("a$b", "a$$b", "a$$b", "'a$b'"),
        ("a:b", "a$:b", "a:b", "a:b"),
        ("a#b", "a#b", "a#b", "'a#b'"),
        ("a|b", "a$|b", "a|b", "'a|b'"),
        ("it's", "it's", "it's", "'it'\"'\"'s'"),
        ('a"b', 'a"b', 'a"b', "'a\"b'"),
        ("käse", "käse", "käse", "'käse'"),
        ("", "", "", "''"),
        ("  two", "$ $ two", "$ $ two", "'  two'"),
    ],
)
def test_each_context_escapes_what_it_must(text, path, value, word):
    assert escape_path(text) == path
    assert escape_value(text) == value
    assert quote_word(text) == word


@pytest.mark.parametrize("escape", [escape_path, escape_value, quote_word])
@pytest.mark.parametrize("text", ["a\nb", "a\rb"])
def test_a_line_break_is_refused(escape, text):
    with pytest.raises(UserError, match="line break"):
        escape(text)


def test_quoted_words_survive_the_shell():
    words = ["a b", "$HOME", "it's", '"', "*", "\\", "käse", ""]
    command = "printf '%s\\n' " + " ".join(quote_word(word) for word in words)
    printed = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout
    assert printed.split("\n")[:-1] == words


def test_words_of_a_command_become_one_value():
    assert command_value(("--out", "a b", "$x")) == "--out 'a b' '$$x'"
