"""`get_target_model`: what a device's model answers."""

import pytest

from npuninja.arch.families import FAMILIES
from npuninja.ir.tiles import LOGICAL_KINDS
from npuninja.python_designs.dialects.aie_enums import WireBundle
from npuninja.python_designs.dialects.target_model import TargetModel
from npuninja.python_designs.iron.device import from_name
from npuninja.python_designs.kernels.factory import _MAC


@pytest.mark.parametrize(
    ("name", "columns", "rows", "memory_rows", "is_npu"),
    [
        ("npu1", 4, 6, 1, True),
        ("npu2_3col", 3, 6, 1, True),
        ("xcve2802", 38, 11, 2, False),
        ("xcvc1902", 50, 9, 0, False),
    ],
)
def test_shapes(name, columns, rows, memory_rows, is_npu):
    model = TargetModel(name)
    assert (model.columns(), model.rows(), model.get_num_mem_tile_rows(), model.is_npu()) == (
        columns,
        rows,
        memory_rows,
        is_npu,
    )


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_designs_in_python_know_every_family(family):
    whole = from_name(family.name, n_cols=None)
    assert (whole.NAME, whole.cols, whole.rows) == (family.name, family.columns, family.rows.number)
    assert f"{family.name}_1col" == from_name(family.name).NAME
    kinds = tuple(LOGICAL_KINDS[whole.kind_at(row)] for row in range(whole.rows))
    assert kinds == family.rows.kinds
    assert whole.arch == family.architecture == TargetModel(family.name).get_target_arch().name.lower()
    assert family.architecture in _MAC, "the sizes of its multiplications of matrices"


def test_tiles_and_their_neighbours():
    model = TargetModel("npu1")
    assert [model.get_tile_type(0, row).name for row in range(3)] == ["ShimNOCTile", "MemTile", "CoreTile"]
    kinds = [TargetModel("xcve2802").get_tile_type(0, row).name for row in range(1, 4)]
    assert kinds == ["MemTile", "MemTile", "CoreTile"]
    assert TargetModel("xcve2302").get_tile_type(0, 0).name == "ShimPLTile"
    reached = [
        (column, row)
        for column in range(3)
        for row in range(1, 6)
        if model.is_legal_mem_affinity(1, 2, column, row)
    ]
    assert reached == [
        (0, 2),
        (1, 2),
        (1, 3),
    ]  # west, own, north; a memory tile to the south is no neighbour's memory
    assert [c for c in range(4) if model.is_legal_mem_affinity(1, 1, c, 1)] == [0, 1, 2]
    assert (model.get_num_locks(0, 1), model.get_num_bds(0, 1), model.get_num_bds(0, 2)) == (64, 48, 16)
    assert model.get_num_dest_switchbox_connections(0, 2, WireBundle["North"]) == 6
    assert model.get_num_source_switchbox_connections(0, 2, WireBundle["North"]) == 4


def test_what_is_no_npu_answers_only_for_its_shape():
    with pytest.raises(NotImplementedError, match="xcvc1902"):
        TargetModel("xcvc1902").is_legal_mem_affinity(1, 2, 1, 3)
