"""Flags of MLIR-AIE's driver: read, and what they do to the lowering of a design."""

import pytest

from npuninja.errors import Location, UserError, Warnings
from npuninja.ir.parser import parse_module
from npuninja.ir.printer import print_module
from npuninja.lowering.pipeline import lower_resources
from npuninja.plan.driver_flags import LoweringFlags, read_driver_flags, words_of
from npuninja.plan.scan import scan_module

DESIGN = """
aie.device(npu1) {
  %a = aie.logical_tile<CoreTile>(?, ?)
  %b = aie.logical_tile<CoreTile>(?, ?)
  aie.objectfifo @of(%a, {%b}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
  %core = aie.core(%a) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    scf.for %i = %c0 to %c8 step %c1 {
      %0 = aie.objectfifo.acquire @of(Produce, 1) : !aie.objectfifosubview<memref<4xi32>>
      aie.objectfifo.release @of(Produce, 1)
    }
    aie.end
  }
  %other = aie.core(%b) {
    %0 = aie.objectfifo.acquire @of(Consume, 1) : !aie.objectfifosubview<memref<4xi32>>
    aie.objectfifo.release @of(Consume, 1)
    aie.end
  }
}
"""


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        ([], LoweringFlags()),
        (["--alloc-scheme=bank-aware"], LoweringFlags(alloc_scheme="bank-aware")),
        (["-alloc-scheme", "basic-sequential", "-v"], LoweringFlags(alloc_scheme="basic-sequential")),
        (["--dynamic-objFifos"], LoweringFlags(dynamic_fifos="true")),
        (["--dynamic-objFifos", "--dynamic-objFifos=false"], LoweringFlags(dynamic_fifos="false")),
        (["--packet-sw-objFifos"], LoweringFlags(packet_fifos="true")),
        (["--packet-sw-objFifos=false"], LoweringFlags()),
        (["--cores-per-col", "1", "--no-xbridge"], LoweringFlags(cores_per_column="1")),
        (["--cores-per-col=-1"], LoweringFlags()),
        (["--placer", "sequential_placer", "--fold-ddr-addr-offset=true"], LoweringFlags()),
    ],
)
def test_flags_are_read(words, flags):
    assert read_driver_flags(words) == flags


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("--warp=9", "does not know the aiecc flag --warp"),
        ("--alloc-scheme=best", "expected basic-sequential or bank-aware"),
        ("--dynamic-objFifos=maybe", "expected true or false"),
        ("--cores-per-col=x", "expected a number of cores"),
        ("--load-pdi-to-ctrl-pkt", "no configurations into sequences as control packets"),
        ("--placer=sa_placer", "give the tiles places"),
        ("--sa-seed=3", "it is for sa_placer"),
        ("--bf16-emulation", "do it in a kernel function"),
        ("--fold-ddr-addr-offset=false", "instructions for XRT"),
    ],
)
def test_flags_that_mean_nothing_are_refused_with_their_place(word, message):
    with pytest.raises(UserError, match=message) as error:
        read_driver_flags([word], Location("toolchain.toml", 3))
    assert error.value.render().startswith("toolchain.toml:3: error: ")


@pytest.mark.parametrize(
    ("words", "older", "later"),
    [
        ((), (), ()),
        (
            ("--alloc-scheme=bank-aware", "--cores-per-col", "2"),
            ("--alloc-scheme=bank-aware", "--cores-per-col=2"),
            None,
        ),
        (("--dynamic-objFifos", "--dynamic-objFifos=1"), ("--dynamic-objFifos",), None),
        (("--dynamic-objFifos=0",), (), ("--dynamic-objFifos=false",)),
        (("--packet-sw-objFifos", "--generate-ctrl-pkt-overlay"), None, None),
    ],
)
def test_flags_are_words_of_a_driver_again(words, older, later):
    """Each once: a driver takes none twice. Only that of 1.4 needs a word against loops that stay."""
    older = words if older is None else older
    flags = read_driver_flags(words)
    assert words_of(flags, keeps_loops=False) == older
    assert words_of(flags, keeps_loops=True) == (older if later is None else later)


def lowered(**options):
    module = parse_module(DESIGN, "d.mlir")
    lower_resources(module, alloc_scheme=None, generation="2026-02", warnings=Warnings(), **options)
    return print_module(module)


def test_cores_of_a_column_are_left_out():
    assert "aie.tile(0, 3)" in lowered()
    assert "aie.tile(1, 2)" in (text := lowered(cores_per_column=1))
    assert "aie.tile(0, 3)" not in text


def test_cores_choose_at_run_time():
    assert "scf.index_switch" not in (text := lowered())
    assert text.count("aie.use_lock") == lowered(dynamic_fifos=False).count("aie.use_lock") == 6
    assert lowered(dynamic_fifos=True).count("aie.use_lock") == 4


def test_planning_places_cores_as_the_lowering_does():
    text = DESIGN.replace("  %other", "  aie.runtime_sequence() {\n  }\n  %other")
    for flags, second in ((), (0, 3)), (("--cores-per-col=1",), (1, 2)):
        design = scan_module(parse_module(text, "d.mlir"), "d", "d.mlir", "d.mlir", (), flags)
        assert [(core.column, core.row) for core in design.configurations[0].cores] == [(0, 2), second]
