"""A manifest's reference is a stranger's program: run with --verify, from the manifest's folder, by name."""

from __future__ import annotations

import json
import os

import pytest

from npuninja.device import runner
from npuninja.device.manifest import read_manifest
from npuninja.errors import UserError

SPY = (
    "import pathlib\n"
    "pathlib.Path({mark!r}).touch()\n"
    "def inputs(rng, a):\n"
    "    return []\n"
    "def reference(i):\n"
    "    return []\n"
)


@pytest.mark.parametrize("options", [[], ["--bench", "1"], ["--json"]])
def test_a_reference_runs_when_it_is_asked_for_only(built, tmp_path, options, capfd):
    mark = tmp_path / "ran"
    built.reference.write_text(SPY.format(mark=str(mark)))
    runner.main([str(built.path), *options])
    assert not mark.exists()
    runner.main([str(built.path), "--verify"])
    said = capfd.readouterr()
    assert mark.exists() or "twice.py" in said.err + said.out  # what it is not run for, it is named for


@pytest.mark.parametrize(
    "path",
    [
        "../evil.py",
        "/tmp/evil.py",
        "a/../../evil.py",
        ".",
        "..",
        "a\0b.py",
        "/dev/zero",
    ],
)
@pytest.mark.parametrize("field", ["reference", "xclbin", "insts"])
def test_no_way_leads_out_of_the_manifests_folder(built, field, path):
    wrong = built.write(reference=path)
    if field != "reference":
        fields = json.loads(built.path.read_text())
        fields["reference"], fields["files"][field]["path"] = None, path
        built.path.write_text(json.dumps(fields))
    with pytest.raises(UserError) as caught:
        read_manifest(wrong)
    assert "\0" not in caught.value.render()


def test_a_name_that_no_file_can_have_is_refused(built):
    with pytest.raises(UserError):
        read_manifest(built.write(reference="\ud800.py"))


@pytest.mark.parametrize("kind", ["link", "link of a folder"])
def test_a_link_out_of_the_folder_is_no_file_of_it(built, tmp_path_factory, kind):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "evil.py").write_text("raise SystemExit(99)\n")
    if kind == "link":
        (built.folder / "l.py").symlink_to(outside / "evil.py")
        name = "l.py"
    else:
        (built.folder / "l").symlink_to(outside)
        name = os.path.join("l", "evil.py")
    with pytest.raises(UserError):
        read_manifest(built.write(reference=name))
