"""Reading with a bound, and writing to what is no plain file."""

from __future__ import annotations

import os
import stat
import threading

import pytest

from npuninja.errors import ToolError, UserError
from npuninja.files import is_special, read_file, write_file


def test_a_file_is_read_whole_up_to_the_limit(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_file(str(path), 5) == b"12345"
    with pytest.raises(UserError, match="more than 4 bytes"):
        read_file(str(path), 4)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("gone", "cannot read gone"),
        (".", "directory"),
        ("a\0b", "no path"),
        ("\ud800", "no path"),
        ("", "cannot read"),
    ],
)
def test_what_cannot_be_read_is_reported(path, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        read_file(path, 10)
    assert words in caught.value.message


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="a device of Linux")
def test_a_device_without_end_ends_at_the_limit():
    with pytest.raises(UserError, match="more than 100000 bytes"):
        read_file("/dev/zero", 100_000)
    assert read_file("/dev/null", 10) == b""


def test_a_fifo_without_writer_does_not_wait_and_one_with_is_read(tmp_path):
    fifo = str(tmp_path / "fifo")
    os.mkfifo(fifo)
    assert read_file(fifo, 10) == b""
    # As for `<(command)`: somebody has it open before us. A reader of ours keeps its content if the writer
    # has gone before `read_file` opens it.
    keeps = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    held = os.open(fifo, os.O_RDWR)
    writer = threading.Thread(target=lambda: (os.write(held, b"x" * 5000), os.close(held)))
    writer.start()
    assert read_file(fifo, 5000) == b"x" * 5000
    writer.join()
    os.close(keeps)


def test_a_plain_file_is_replaced_whole(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    before = path.stat().st_ino
    write_file(str(path), b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_ino != before
    assert os.listdir(tmp_path) == ["a"]


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "there").write_bytes(b"old")
    os.symlink("there", tmp_path / "link")
    assert is_special(str(tmp_path / "link"))
    write_file(str(tmp_path / "link"), b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there").read_bytes() == b"new"


def test_a_fifo_and_a_device_stay_what_they_are(tmp_path):
    fifo = str(tmp_path / "fifo")
    os.mkfifo(fifo)
    read: list[bytes] = []

    def take():
        with open(fifo, "rb") as stream:
            read.append(stream.read())

    reader = threading.Thread(target=take)
    reader.start()
    write_file(fifo, b"through")
    reader.join()
    assert read == [b"through"]
    assert stat.S_ISFIFO(os.lstat(fifo).st_mode)
    write_file("/dev/null", b"away")
    assert stat.S_ISCHR(os.lstat("/dev/null").st_mode)


def test_what_cannot_be_written_is_reported_and_leaves_nothing(tmp_path):
    with pytest.raises(ToolError, match="cannot write"):
        write_file(str(tmp_path), b"x")
    with pytest.raises(ToolError):
        write_file(str(tmp_path / "no" / "a"), b"x")
    with pytest.raises(ToolError, match="no path"):
        write_file("a\0b", b"x")
    assert os.listdir(tmp_path) == []


def test_what_a_terminal_would_obey_is_escaped():
    from npuninja.errors import Location, UserError, Warnings

    name = "a\x1b[2J\x07\x9b31m\r\u202ebc\ud800é\u2028"
    error = UserError(f"kernel {name}", Location(f"{name}.c"), hint=name, notes=((name, None),))
    warnings = Warnings()
    warnings.add(name)
    for text in (error.render(), warnings.render()):
        assert not set(text) & set("\x1b\x07\x9b\r\u202e\ud800\u2028")
        assert r"a\x1b[2J\x07\x9b31m\x0d\u202ebc\ud800é\u2028" in text
        text.encode()


@pytest.mark.parametrize("verb", ["inspect", "explain", "disasm", "run"])
def test_verbs_end_at_a_fifo_and_at_a_path_with_a_zero(verb, tmp_path, capsys):
    from npuninja.cli import main

    fifo = str(tmp_path / "fifo")
    os.mkfifo(fifo)
    try:
        codes = [main([verb, path]) for path in (fifo, str(tmp_path / "gone"), "a\0b")]
    except UserError:
        codes = [2]
    assert set(codes) <= {0, 2}
    assert "bug of npuninja" not in capsys.readouterr().err
