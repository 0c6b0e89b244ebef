"""`[package]` in toolchain.toml, and the names that follow from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from npuninja.configure.package_table import package_of_project
from npuninja.configure.settings import read_settings
from npuninja.errors import UserError
from npuninja.packaging.package import Package, package_of


def read(folder: Path, text: str) -> Package:
    path = folder / "toolchain.toml"
    path.write_text(text)
    return read_settings(str(path)).package


def project_package(preset: str | None) -> Package:
    """The package of the project in this folder."""
    settings = read_settings("toolchain.toml")
    return package_of_project(settings.package, settings.file, preset)


def test_defaults_do_not_depend_on_the_folder(tmp_path):
    package = read(tmp_path, "")
    assert (package.archive_file, package.wheel_file) == (
        "npu-designs-0.0.0.zip",
        "npu_designs-0.0.0-py3-none-any.whl",
    )


@pytest.mark.parametrize(
    ("preset", "archive", "wheel"),
    [
        (None, "My.Designs-1.0rc1.zip", "my_designs-1.0rc1-py3-none-any.whl"),
        ("npu2-Debug", "My.Designs-1.0rc1-npu2.debug.zip", "my_designs-1.0rc1+npu2.debug-py3-none-any.whl"),
    ],
)
def test_names_have_the_preset_in_them(tmp_path, monkeypatch, preset, archive, wheel):
    (tmp_path / "toolchain.toml").write_text('[package]\nname = "My.Designs"\nversion = "1.0rc1"\n')
    monkeypatch.chdir(tmp_path)
    package = project_package(preset)
    assert (package.archive_file, package.wheel_file) == (archive, wheel)
    assert package_of(package.fields()) == package


def test_licence_files_are_found_or_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("LICENSE-MIT.txt", "NOTICE", "COPYING", "LICENSED.md", "other"):
        (tmp_path / name).write_text("x")
    (tmp_path / "toolchain.toml").write_text("")
    found = project_package(None).license_files
    assert found == ("COPYING", "LICENSE-MIT.txt", "NOTICE")
    (tmp_path / "toolchain.toml").write_text('[package]\nlicense-files = ["other"]\n')
    assert project_package(None).license_files == ("other",)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('nmae = "x"', "unknown key 'nmae' in .package."),
        ("name = 3", "'name' must be a string"),
        ('name = "-x"', "'-x' is not letters, digits"),
        ('name = "a b"', "'a b' is not letters, digits"),
        ('name = "2mm"', "'2mm', which Python cannot import"),
        ('name = "class"', "'class', which Python cannot import"),
        ('name = "NumPy"', "'numpy', which would hide another"),
        ('name = "json"', "'json', which would hide another"),
        ('version = "1.0+local"', "is no version as 1.2.3"),
        ('version = "v1"', "is no version as 1.2.3"),
        ('version = "01.2"', "is no version as 1.2.3"),
        ('summary = "a\\nb"', "is more than one line"),
        ('license-files = ["../secret"]', "is no plain name"),
        ('license-files = ["/etc/passwd"]', "is no plain name"),
        ('license-files = ["runner/LICENSE"]', "has the name of the runner's licence"),
        ('license-files = ["missing"]', "is no file of the project"),
    ],
)
def test_what_cannot_be_is_located(tmp_path, line, message):
    with pytest.raises(UserError, match=message) as caught:
        read(tmp_path, f"[package]\n{line}\n")
    assert caught.value.location is not None
    assert caught.value.location.line == 2


def test_near_matches_are_suggested(tmp_path):
    with pytest.raises(UserError) as caught:
        read(tmp_path, '[package]\nlicense-file = ["LICENSE"]\n')
    assert "did you mean 'license-files'?" in caught.value.render()
    with pytest.raises(UserError) as caught:
        read(tmp_path, '[pakcage]\nname = "x"\n')
    assert "did you mean 'package'?" in caught.value.render()


def test_a_preset_without_letters_has_no_label(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toolchain.toml").write_text("")
    with pytest.raises(UserError, match="cannot be called after preset '--'"):
        project_package("--")
