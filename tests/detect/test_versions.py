"""Versions by day and commit, the releases of MLIR-AIE they belong to, and what is denied by day."""

import pytest

from npuninja.detect.mlir_aie_releases import RELEASES, UNKNOWN_SINCE, release_of
from npuninja.detect.probe import Denied
from npuninja.detect.versions import commit_of, day_of, package_version


@pytest.mark.parametrize(
    ("version", "day", "commit"),
    [
        ("0.0.1.2025100604+5950a4d", "2025-10-06", "5950a4d"),
        ("19.0.0.2025052701+31d2aa6e", "2025-05-27", "31d2aa6e"),
        ("23.0.0.2026031922+278dba37", "2026-03-19", "278dba37"),
        ("1.3.2.dev12+g9796296", "2026-04-23", "9796296"),
        ("979629649aa", "2026-04-23", "979629649aa"),
        ("v1.1.1", "2025-10-06", ""),
        ("1.1.1", "2025-10-06", ""),
        ("1.1.10", "", ""),
        ("1.4.2", "2026-07-01", ""),
        ("22.0.0git", "", ""),
        ("19.0.0git", "", ""),
    ],
)
def test_a_version_says_its_day_and_commit(version, day, commit):
    assert (day_of(version), commit_of(version)) == (day, commit)


def test_a_wheel_says_its_version_in_the_metadata_beside_it(tmp_path):
    (tmp_path / "site/mlir_aie/bin").mkdir(parents=True)
    (tmp_path / "site/mlir_aie_python_bindings-9.9.dist-info").mkdir()
    file = str(tmp_path / "site/mlir_aie/bin/aie-opt")
    assert package_version(file, "mlir_aie") == ""
    (tmp_path / "site/mlir_aie-0.0.1.2025100604+5950a4d.dist-info").mkdir()
    assert package_version(file, "mlir_aie") == "0.0.1.2025100604+5950a4d"
    assert package_version("/usr/bin/aie-opt", "mlir_aie") == ""


@pytest.mark.parametrize(
    ("since", "until", "version", "denied"),
    [
        ("2025-05-01", "2025-05-31", "19.0.0.2025052701+31d2aa6e", True),
        ("2025-05-28", "", "19.0.0.2025052701+31d2aa6e", False),
        ("", "2025-05-26", "19.0.0.2025052701+31d2aa6e", False),
        ("2025-05-27", "2025-05-27", "19.0.0.2025052701+31d2aa6e", True),
        ("2025-05-01", "", "19.0.0git", False),
        ("", "", "19.0.0git", True),
    ],
)
def test_versions_are_denied_by_day(since, until, version, denied):
    assert Denied("peano", "19.", "x", "", since, until).matches(version) == denied


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.since)
def test_a_release_is_known_by_its_day(release):
    assert release_of(release.since, release.needs) == (release, "")


@pytest.mark.parametrize(
    ("known", "since"),
    [
        (RELEASES[0].needs, "2025-10-21"),
        (RELEASES[4].needs, "2025-12-17"),
        (RELEASES[-1].needs, RELEASES[-1].since),
    ],
)
def test_a_release_without_a_day_is_known_by_what_its_aie_opt_knows(known, since):
    release, reason = release_of("", known)
    assert release is not None, reason
    assert release.since == since


@pytest.mark.parametrize(
    ("day", "known", "reason"),
    [
        ("2025-10-04", RELEASES[0].needs, "is older than the pipelines known here"),
        (UNKNOWN_SINCE, RELEASES[-2].needs, "is of the time when its pipelines changed"),
        ("2026-08-13", RELEASES[-2].needs, "is of the time when its pipelines changed"),
        ("", RELEASES[-2].needs | {"aie-objectFifo-unroll"}, "is of the time when its pipelines changed"),
        ("2026-04-23", RELEASES[-2].needs - {"aie-lower-set-lock"}, "does not know aie-lower-set-lock"),
        ("", frozenset({"cse"}), "and others"),
    ],
)
def test_an_unknown_release_is_refused_with_the_reason(day, known, reason):
    assert release_of(day, known)[0] is None
    assert reason in release_of(day, known)[1]


@pytest.mark.parametrize("day", ["2026-08-14", "2026-09-01", UNKNOWN_SINCE, ""])
def test_1_4_is_known_by_what_its_aie_opt_knows_where_the_day_does_not_say(day):
    release, reason = release_of(day, RELEASES[-1].needs)
    assert release is RELEASES[-1], reason
    assert (release.generation, release.values) == ("2026-08", True)
