"""Zip files in one form: written, read, and every damage found."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npuninja.errors import UserError
from npuninja.packaging.zip_file import read_zip, write_zip

FILES = {"a/one.txt": b"one\n", "a/two.bin": bytes(range(256)), "x.dist-info/RECORD": b"", "z.txt": b"last"}
names = st.text("abcXYZ019._-é", min_size=1, max_size=8).filter(lambda name: set(name) != {"."})


@given(
    st.dictionaries(st.lists(names, min_size=1, max_size=3).map("/".join), st.binary(max_size=64), max_size=6)
)
def test_what_is_written_is_read(files):
    assert read_zip(write_zip(files), "x.zip") == files


def test_order_does_not_matter_and_metadata_is_last():
    data = write_zip(FILES)
    assert data == write_zip(dict(reversed(FILES.items())))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["a/one.txt", "a/two.bin", "z.txt", "x.dist-info/RECORD"]
        assert archive.testzip() is None


DATA = write_zip(FILES)


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_any_other_byte_is_found(place, change):
    damaged = bytearray(DATA)
    damaged[place] ^= change
    with pytest.raises(UserError) as caught:
        read_zip(bytes(damaged), "x.zip")
    assert caught.value.location is not None
    assert caught.value.location.file == "x.zip"


@given(st.integers(0, len(DATA) - 1))
def test_a_part_is_not_the_whole(length):
    with pytest.raises(UserError):
        read_zip(DATA[:length], "x.zip")


def other_zip(*entries: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (other_zip(("one", b"1" * 99), compression=zipfile.ZIP_DEFLATED), "one is compressed"),
        (other_zip(("../one", b"1")), "'../one', which is no name of a file inside it"),
        (other_zip(("/one", b"1")), "'/one', which is no name"),
        (other_zip(("C:one", b"1")), "'C:one', which is no name"),
        (other_zip(("one", b"1")), "the header of one is not as"),
        (DATA + b"more", "it cannot be unpacked|table of contents is not the one"),
        (b"more" + DATA, "is not as `ninja package` writes|cannot be unpacked|table of contents"),
        (b"PK", "it cannot be unpacked"),
    ],
)
def test_other_zip_files_are_refused_by_name(data, message):
    with pytest.raises(UserError, match=message):
        read_zip(data, "x.zip")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_is_refused():
    with pytest.raises(UserError, match="one is in it twice"):
        read_zip(other_zip(("one", b"1"), ("one", b"2")), "x.zip")
