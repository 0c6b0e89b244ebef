"""`make fuzz SECONDS=60 [SEED=N] [READERS=a,b]`: mutated files into every reader.

A reader may refuse a file with an `Error` that can be printed, or take it. All else, and more than a few
seconds, is a fault: the file stays in the corpus, where `tests/fuzz/test_corpus.py` tries it for ever.
"""

from __future__ import annotations

import faulthandler
import hashlib
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT), str(ROOT / "examples/mel")]

from mutator import mutate  # noqa: E402
from readers import READERS, Reader  # noqa: E402
from structures import STRUCTURES  # noqa: E402

from npuninja.errors import Error, InternalError  # noqa: E402

CORPUS = Path(__file__).parent / "corpus"
#: Nothing of 64 KiB takes longer, on a slow and busy machine.
LONGEST_S = 20
MEMORY_BYTES = 6 << 30


class TooSlowError(Exception):
    """A reader did not come back."""


def corpus(name: str, reader: Reader) -> list[bytes]:
    """What a reader is tried with: files it takes, and what was found before."""
    folder = CORPUS / name
    return reader.seeds() + [path.read_bytes() for path in sorted(folder.glob("*"))]


def changed(name: str, files: list[bytes], rng: random.Random) -> bytes:
    """A new file for a reader: of its structure in half of the cases, changed anywhere in the others."""
    data = rng.choice(files)
    known = STRUCTURES.get(name, ())
    if known and rng.randrange(2):
        return rng.choice(known)(data, rng)
    return mutate(data, files, rng)


def attempt(reader: Reader, data: bytes) -> None:
    """Reads once. Raises whatever is a fault."""
    try:
        reader.read(data)
    except InternalError:
        raise
    except Error as error:
        error.render().encode("utf-8")


def _alarm(*_: object) -> None:
    raise TooSlowError(f"more than {LONGEST_S} s")


def fuzz(seconds: float, seed: int, names: list[str]) -> Iterator[tuple[str, bytes, BaseException]]:
    """Faults, as they are found."""
    rng = random.Random(seed)
    files = {name: corpus(name, READERS[name]) for name in names}
    end = time.monotonic() + seconds
    count = 0
    signal.signal(signal.SIGALRM, _alarm)
    while time.monotonic() < end:
        name = names[count % len(names)]
        data = changed(name, files[name], rng)
        signal.alarm(LONGEST_S)
        try:
            attempt(READERS[name], data)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            yield name, data, error
        finally:
            signal.alarm(0)
        count += 1
    print(f"{count} files read by {len(names)} readers")


def main() -> int:
    seconds = float(os.environ.get("SECONDS", "60") or 60)
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
    names = (os.environ.get("READERS") or ",".join(READERS)).split(",")
    faulthandler.enable()
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    print(f"fuzzing for {seconds:g} s, SEED={seed}", flush=True)
    found: dict[str, int] = {}
    for name, data, error in fuzz(seconds, seed, names):
        frames = traceback.extract_tb(error.__traceback__)
        place = next((f"{f.filename}:{f.lineno}" for f in reversed(frames) if "npuninja" in f.filename), "?")
        key = f"{name} {type(error).__name__} {place}"
        found[key] = found.get(key, 0) + 1
        if found[key] > 1:
            continue
        folder = CORPUS / name
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / hashlib.sha256(data).hexdigest()[:16]
        path.write_bytes(data)
        print(f"FAULT {key}: {str(error)[:200]}\n  kept as {os.path.relpath(path)}", flush=True)
    print(f"{len(found)} faults; SEED={seed} repeats the run")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
