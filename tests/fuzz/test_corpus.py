"""The readers with what fuzzing found, and with a few new files of a fixed seed."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from mutator import MAX_BYTES, mutate
from readers import READERS
from run import CORPUS, attempt, changed, corpus
from structures import STRUCTURES

from npuninja.errors import Error, InternalError


@pytest.mark.parametrize("name", sorted(READERS))
def test_every_file_is_taken_or_refused(name):
    files = corpus(name, READERS[name])
    rng = random.Random(name)
    for data in [*files, *(changed(name, files, rng) for _ in range(40))]:
        attempt(READERS[name], data)


@pytest.mark.parametrize("name", sorted(set(READERS) - {"elf", "package"}))
def test_the_seeds_are_good_files(name):
    """Else the mutations would all be refused at the first byte."""
    for data in READERS[name].seeds():
        READERS[name].read(data)


def test_the_corpus_has_no_other_folder():
    assert {path.name for path in CORPUS.iterdir() if path.is_dir()} <= set(READERS)


def test_structures_are_of_readers():
    assert set(STRUCTURES) <= set(READERS)


@pytest.mark.parametrize("name", sorted(set(STRUCTURES) & {"cdo", "pdi", "xclbin", "txn"}))
def test_mutations_come_behind_the_first_sum(name):
    """Else a reader's inner parts would never be tried."""
    (seed, *_) = READERS[name].seeds()
    rng = random.Random(name)
    made = {STRUCTURES[name][0](seed, rng) for _ in range(300)} - {seed}
    words = []
    for data in made:
        try:
            READERS[name].read(data)
            words.append("taken")
        except Error as error:
            words.append(error.message)
    inner = [w for w in words if "checksum" not in w and "says it has" not in w and "bytes long" not in w]
    assert len(inner) > len(made) // 3
    assert len(set(inner)) > 5


def test_an_error_of_ours_is_a_fault():
    def fails(_: bytes) -> None:
        raise InternalError("bug")

    reader = READERS["cdo"]._replace(read=fails)
    with pytest.raises(InternalError):
        attempt(reader, b"")


def test_mutations_differ_and_end():
    rng = random.Random(1)
    made = {mutate(b"abcdefgh" * 8, [b"xyz"], rng) for _ in range(200)}
    assert len(made) > 150
    assert max(map(len, made)) <= MAX_BYTES
