"""Cache files that were tampered with, are others' or no plain files: counted as missing and made again."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from npuninja import cache_files, files
from npuninja.cache_files import cache_folder, keep, keep_answer, kept, kept_answer
from npuninja.compiled_modules import cached_source
from npuninja.errors import ToolError

CONTENT = bytes(range(256)) * 64


def swapped(path: Path) -> None:
    """Another entry under this name, whole in itself."""
    other = path.with_name("other.bin")
    keep(other, b"something else")
    os.replace(other, path)


def linked(path: Path) -> None:
    """A link to the very file."""
    moved = path.with_name("moved.bin")
    os.replace(path, moved)
    path.symlink_to(moved)


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)


HARM = {
    "cut off": lambda p: p.write_bytes(p.read_bytes()[:-5]),
    "cut off in its content": lambda p: p.write_bytes(p.read_bytes()[:40]),
    "empty": lambda p: p.write_bytes(b""),
    "one bit": flipped,
    "longer": lambda p: p.write_bytes(p.read_bytes() + b"\0"),
    "not sealed": lambda p: p.write_bytes(CONTENT),
    "another's content": swapped,
    "a link": linked,
    "a link to nothing": lambda p: (p.unlink(), p.symlink_to(p.with_name("nowhere"))),
    "a FIFO": fifo,
    "a folder": folder,
    "others may write": lambda p: p.chmod(0o666),
    "gone": lambda p: p.unlink(),
}


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM)
def test_what_was_harmed_is_made_again(tmp_path, harm) -> None:
    path = tmp_path / "entry.bin"
    made: list[int] = []

    def make() -> bytes:
        made.append(1)
        return CONTENT

    assert cached_source(path, make) == cached_source(path, make) == CONTENT
    assert len(made) == 1
    harm(path)
    assert kept(path) is None
    assert cached_source(path, make) == CONTENT
    assert len(made) == 2
    if not path.is_dir():
        assert kept(path) == CONTENT
        assert not path.is_symlink()
    assert not (tmp_path / "nowhere").exists()


def test_of_another_user(tmp_path, monkeypatch) -> None:
    path = tmp_path / "entry.bin"
    keep(path, CONTENT)
    monkeypatch.setattr(os, "getuid", lambda: os.stat(path).st_uid + 1)
    assert kept(path) is None


def test_a_huge_file_is_not_read(tmp_path) -> None:
    path = tmp_path / "entry.bin"
    keep(path, CONTENT)
    os.truncate(path, 1 << 40)
    assert kept(path) is None


def test_a_full_disk_fails_nothing(tmp_path, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", full)
    assert cached_source(tmp_path / "entry.bin", lambda: CONTENT) == CONTENT
    assert list(tmp_path.iterdir()) == []


def test_writers_at_once(tmp_path) -> None:
    path = tmp_path / "entry.bin"
    seen: list[bytes | None] = []

    def work() -> None:
        for _ in range(20):
            keep(path, CONTENT)
            seen.append(kept(path))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {CONTENT}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("name", "mode"), [("", 0o777), ("", 0o757), ("cores", 0o777), ("cores", 0o757)])
def test_folders_that_others_can_write_to(tmp_path, monkeypatch, name, mode) -> None:
    monkeypatch.setenv("NPUNINJA_CACHE_DIR", str(tmp_path / "cache"))
    cache_folder(name).chmod(mode)
    with pytest.raises(ToolError, match="others can write to"):
        cache_folder(name)


def test_a_folder_of_another_user(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("NPUNINJA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(os, "getuid", lambda: os.stat(tmp_path).st_uid + 1)
    with pytest.raises(ToolError, match="belongs to somebody else"):
        cache_folder()


def test_what_is_in_the_way_of_a_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("NPUNINJA_CACHE_DIR", str(tmp_path))
    (tmp_path / "cores").write_text("")
    with pytest.raises(ToolError, match="is in the way"):
        cache_folder("cores")


def test_a_link_in_place_of_the_temporary_folder(tmp_path, monkeypatch) -> None:
    """Anybody can put one there, which leads into a folder of ours."""
    (tmp_path / "mine").mkdir(mode=0o700)
    (tmp_path / f"npuninja-{os.getuid()}").symlink_to(tmp_path / "mine")
    monkeypatch.delenv("NPUNINJA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    monkeypatch.setattr(cache_files.os, "access", lambda *_: False)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    with pytest.raises(ToolError, match="is no folder"):
        cache_folder()


def test_answers_are_those_to_their_questions(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("NPUNINJA_CACHE_DIR", str(tmp_path / "cache"))
    assert kept_answer("kind", "question \udcff") is None
    keep_answer("kind", "question \udcff", CONTENT)
    assert kept_answer("kind", "question \udcff") == CONTENT
    assert kept_answer("kind", "question") is None
    assert kept_answer("other", "question \udcff") is None
    monkeypatch.setattr(cache_files, "MAX_ANSWERS", 8)
    for number in range(20):
        keep_answer("kind", str(number), b"")
    assert len(list((tmp_path / "cache/kind").iterdir())) <= 9


def test_a_cache_that_is_not_ones_own_has_no_answers(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("NPUNINJA_CACHE_DIR", str(tmp_path))
    keep_answer("kind", "question", CONTENT)
    assert kept_answer("kind", "question") == CONTENT
    (tmp_path / "kind").chmod(0o777)
    assert kept_answer("kind", "question") is None
    keep_answer("kind", "another", CONTENT)
    assert len(list((tmp_path / "kind").iterdir())) == 1
