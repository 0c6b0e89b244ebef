import pytest

from npuninja.plan.layout import Layout, layout_of


@pytest.mark.parametrize(
    ("build", "output", "source", "prefix"),
    [
        (None, "build/a.o", "kernels/k.c", ""),
        ("/p/project/out", "a.o", "../kernels/k.c", "../"),
        ("/p/project/deep/out", "a.o", "../../kernels/k.c", "../../"),
        ("/p/elsewhere", "a.o", "/p/project/kernels/k.c", "/p/project/"),
        ("/p/project2", "a.o", "/p/project/kernels/k.c", "/p/project/"),
    ],
)
def test_paths_as_ninja_sees_them(build, output, source, prefix):
    layout = layout_of("/p/project", build)
    assert layout.output("a.o") == output
    assert layout.source("kernels/k.c") == source
    assert layout.source_prefix == prefix


def test_files_outside_the_project_are_absolute():
    assert Layout("/p/project", "/p/project", "build").source("/usr/lib/x.py") == "/usr/lib/x.py"


def test_generated_files_lie_in_the_build_folder():
    assert layout_of("/p/project", None).from_build_folder("build/designs/x.mlir") == "build/designs/x.mlir"
    assert layout_of("/p/project", "/p/out").from_build_folder("../out/designs/x.mlir") == "designs/x.mlir"
