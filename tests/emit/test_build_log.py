from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npuninja.emit.build_log import LoggedStep, critical_path, lanes, read_builds
from npuninja.errors import UserError

LOG = "# ninja log v7\n" + "".join(
    "\t".join(fields) + "\n"
    for fields in [
        ("0", "90", "1", "old.o", "aa"),
        ("0", "10", "1", "a.o", "a1"),
        ("0", "30", "1", "b.o", "b1"),
        ("0", "30", "1", "b.info", "b1"),
        ("30", "70", "1", "c.bin", "c1"),
    ]
)
EDGES = [
    {"rule": "cc", "outputs": ["a.o"], "inputs": ["a.c"], "implicit": []},
    {"rule": "cc", "outputs": ["b.o", "b.info"], "inputs": ["b.c"], "implicit": []},
    {"rule": "phony", "outputs": ["both"], "inputs": ["a.o", "b.info"], "implicit": []},
    {"rule": "link", "outputs": ["c.bin"], "inputs": [], "implicit": ["both"]},
]


def test_runs_of_ninja_are_reported_apart_and_outputs_of_one_edge_joined():
    builds = read_builds(LOG, "log")
    assert [[step.outputs for step in build] for build in builds] == [
        [("old.o",)],
        [("a.o",), ("b.o", "b.info"), ("c.bin",)],
    ]


def test_the_longest_chain_goes_through_aliases():
    chain = critical_path(read_builds(LOG, "log")[-1], EDGES)
    assert [step.outputs[0] for step in chain] == ["b.o", "c.bin"]


@pytest.mark.parametrize(
    "text", ["", "# ninja log v4\n", "# ninja log v7\n1\t2\n", "# ninja log v6\na\tb\tc\td\te\n"]
)
def test_what_is_no_log_is_refused(text):
    with pytest.raises(UserError):
        read_builds(text, "log")


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)), min_size=1, max_size=30))
def test_steps_of_a_lane_never_overlap(times):
    steps = [LoggedStep(start, start + length, (str(i),)) for i, (start, length) in enumerate(times)]
    placed = lanes(steps)
    assert sorted(step for step, _ in placed) == sorted(steps)
    for lane in {lane for _, lane in placed}:
        own = [step for step, number in placed if number == lane]
        assert all(first.end_ms <= second.start_ms for first, second in itertools.pairwise(own))
