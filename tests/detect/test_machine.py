import pytest

from npuninja.detect.machine import heavy_jobs


@pytest.mark.parametrize(("memory_gib", "jobs"), [(0, 1), (3, 1), (8, 2), (31, 7), (64, 16)])
def test_as_many_heavy_tools_as_memory_holds(memory_gib, jobs):
    assert heavy_jobs(memory_gib << 30) == jobs


def test_this_machine_runs_at_least_one():
    assert heavy_jobs() >= 1
