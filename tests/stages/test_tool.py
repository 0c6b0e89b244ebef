"""Folders of a tool's own: they are gone afterwards, whatever happened in them."""

import pytest

from npuninja.stages._tool import WorkFolder


def test_a_work_folder_has_links_and_is_taken_away_with_all_that_was_made(tmp_path):
    kernel = tmp_path / "gain.o"
    kernel.write_text("code")
    with WorkFolder(str(tmp_path / "work"), str(kernel)) as folder:
        assert (tmp_path / "work" / "gain.o").read_text() == "code"
        (tmp_path / "work" / "deep").mkdir()
        (tmp_path / "work" / "deep" / "made").write_text("x")
        assert folder == str(tmp_path / "work")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gain.o"]
    assert kernel.read_text() == "code"


def test_a_work_folder_is_taken_away_after_a_failure_and_when_it_cannot_be_filled(tmp_path):
    def fail() -> None:
        with WorkFolder(str(tmp_path / "work")):
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        fail()
    one, other = tmp_path / "a" / "gain.o", tmp_path / "b" / "gain.o"
    with pytest.raises(FileExistsError), WorkFolder(str(tmp_path / "work"), str(one), str(other)):
        pass
    assert not (tmp_path / "work").exists()


def test_what_is_gone_already_is_no_error(tmp_path):
    with WorkFolder(str(tmp_path / "work")):
        (tmp_path / "work").rmdir()
    assert not (tmp_path / "work").exists()
