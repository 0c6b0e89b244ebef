"""The kernels' constant tables: as the generator makes them, and right by another computation."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
from whisper_mel.definition import mel_filters

FOLDER = Path(__file__).resolve().parents[2] / "kernels" / "mel"
BYTES = {"uint8_t": 1, "int16_t": 2, "uint16_t": 2, "int32_t": 4}


def generator():
    spec = importlib.util.spec_from_file_location("mel_tables", FOLDER / "tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def header(bands):
    """The tables in a header as it lies there: name -> (type, values)."""
    text = (FOLDER / f"mel{bands}_tables.h").read_text()
    found = re.findall(r"static const (\w+) (\w+)\[(\d+)\] = \{([^}]*)\};", text)
    tables = {
        name: (kind, np.array([int(word) for word in values.split(",") if word.strip()]))
        for kind, name, _, values in found
    }
    assert {name: len(values) for name, (_, values) in tables.items()} == {
        name: int(size) for _, name, size, _ in found
    }
    return tables


@pytest.mark.parametrize("bands", [80, 128])
def test_headers_are_up_to_date(bands, regen):
    text = generator().header(bands)
    path = FOLDER / f"mel{bands}_tables.h"
    if regen:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "run python kernels/mel/tables.py"


@pytest.mark.parametrize("bands", [80, 128])
def test_budget(bands):
    tables = header(bands)
    assert sum(BYTES[kind] * len(values) for kind, values in tables.values()) < 6 * 1024
    for kind, values in tables.values():
        limits = np.iinfo(kind.removesuffix("_t"))
        assert limits.min <= values.min()
        assert values.max() <= limits.max


@pytest.mark.parametrize("bands", [80, 128])
def test_filters(bands):
    tables = header(bands)
    edges, rises = tables["edges"][1], tables["rises"][1] / 65536
    weights = np.zeros((bands + 2, 201))  # row b + 1 is filter b
    k = 1
    for interval, edge in enumerate(edges):
        for bin_ in range(k, edge):
            weights[interval + 1, bin_] = rises[bin_ - 1]
            weights[interval, bin_] = 1 - rises[bin_ - 1]
        k = max(k, edge)
    assert k == 200
    # The norm and the unit of the power are in the offsets, the floor is their zero.
    norm = 2.0 ** (tables["offsets"][1] / 1536 + 40 + np.log2(1e-10))
    np.testing.assert_allclose(weights[1:-1] * norm[:, None], mel_filters(bands), rtol=5e-4, atol=2e-7)


def test_window_and_transform():
    tables = header(80)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    assert abs(tables["hann"][1] / 65536 - hann).max() <= 1 / 65536
    turn = tables["twiddles400"][1].reshape(-1, 2) @ (1, 1j) / 65536
    assert abs(turn - np.exp(-2j * np.pi * np.arange(1, 101) / 400)).max() < 1 / 65536
    turn = tables["twiddles25"][1].reshape(4, 4, 2) @ (1, 1j) / 65536
    assert abs(turn - np.exp(-2j * np.pi * np.outer(range(1, 5), range(1, 5)) / 25)).max() < 1 / 65536
    assert sorted(tables["places"][1]) == list(range(200))
    fractions = (np.arange(128) + 0.5) / 128
    assert abs(tables["logarithms"][1] / 1536 - np.log2(1 + fractions)).max() < 1 / 1536
