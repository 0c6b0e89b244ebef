"""`ninja test`: all designs, a table, JUnit XML; and what references may do."""

from __future__ import annotations

from xml.etree import ElementTree

from negate_project import KERNEL, NegateProject

from npuninja.stages.verdicts import junit_xml

COUNTER = """\
module @counter {
  aie.device(npu1_1col) {
    %shim = aie.tile(0, 0)
    %worker = aie.tile(0, 2)
    aie.objectfifo @out(%worker, {%shim}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
    %core = aie.core(%worker) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c16 = arith.constant 16 : index
      %seven = arith.constant 7 : i32
      %view = aie.objectfifo.acquire @out(Produce, 1) : !aie.objectfifosubview<memref<16xi32>>
      %element = aie.objectfifo.subview.access %view[0] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>
      scf.for %i = %c0 to %c16 step %c1 {
        memref.store %seven, %element[%i] : memref<16xi32>
      }
      aie.objectfifo.release @out(Produce, 1)
      aie.end
    }
    aie.runtime_sequence @sequence(%b : memref<16xi32>) {
      aiex.npu.dma_memcpy_nd(%b[0, 0, 0, 0][1, 1, 1, 16][0, 0, 0, 1]) {id = 0 : i64, metadata = @out} : memref<16xi32>
      aiex.npu.dma_wait {symbol = @out}
    }
  }
}
"""
SHARED = """\
import os
import numpy as np
DATA = np.load(os.path.join(os.path.dirname(__file__), "recorded.npy"))
"""
RECORDED = """\
import shared
def inputs(rng, arguments):
    return [shared.DATA[0]]
def reference(inputs):
    return [shared.DATA[1]]
"""


def record(project: NegateProject, factor: int) -> None:
    import numpy as np

    values = np.arange(64, dtype=np.int8)
    np.save(project.folder / "host/recorded.npy", np.stack([values, values * np.int8(factor)]))


def test_the_table_names_all_and_the_failing_last(empty: NegateProject) -> None:
    empty.write("kernels/minus.c", KERNEL.replace("FACTOR", "-1"))
    empty.design("right", "minus.o")
    empty.design("wrong", "minus.o", 2)
    empty.design("bare", "minus.o")
    empty.design("faulty", "none.o")
    (empty.folder / "host/bare.py").unlink()
    empty.configure(code=2)
    done = empty.ninja("test", code=None)
    table = done.stdout[done.stdout.index("design  ") :]
    for name, verdict in (
        ("right", "right"),
        ("wrong", "wrong"),
        ("bare", "not verified"),
        ("faulty", "cannot be built"),
    ):
        assert any(line.split("  ")[0] == name and verdict in line for line in table.splitlines()), table
    assert "1 right, 1 not verified, 1 wrong, 1 cannot be built; build/test/junit.xml" in table
    assert "error: not right: bare, wrong, faulty" in done.stderr
    suite = ElementTree.parse(empty.folder / "build/test/junit.xml").getroot()
    assert {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")} == {
        "right": ["system-out"],
        "wrong": ["failure"],
        "bare": ["failure"],
        "faulty": ["error"],
    }
    empty.right("right")
    assert "not verified: nothing was compared" in empty.ninja("run-bare").stdout
    assert "bare is not verified" in empty.npuninja("run", "bare", "--require-reference", code=2).stderr


def test_what_a_reference_reads_is_what_its_answers_depend_on(empty: NegateProject) -> None:
    empty.write("kernels/minus.c", KERNEL.replace("FACTOR", "-1"))
    empty.design("recorded", "minus.o")
    empty.write("host/shared.py", SHARED)
    empty.write("host/recorded.py", RECORDED)
    record(empty, -1)
    empty.configure()
    empty.right("recorded")
    record(empty, 3)
    assert "the result is wrong" in empty.ninja("run-recorded", code=None).stderr
    empty.write("host/shared.py", SHARED + "DATA[1] = -DATA[0]\n")
    empty.right("recorded")


def test_a_design_without_inputs_and_several_seeds(empty: NegateProject) -> None:
    empty.write("mlir/counter.mlir", COUNTER)
    empty.write(
        "host/counter.py",
        "import numpy as np\n"
        "def inputs(rng, a): return []\n"
        "def reference(i): return [np.full(16, 7, np.int32)]\n",
    )
    empty.configure()
    assert "b: all 16 elements are right" in empty.ninja("run-counter").stdout
    empty.write("kernels/minus.c", KERNEL.replace("FACTOR", "-1"))
    empty.design("minus", "minus.o")
    said = empty.npuninja("run", "minus", "--verify", "--seeds", "3").stdout
    assert "seeds 1 to 3" in said
    assert "all 64 elements are right" in said


def test_xml_of_text_that_xml_cannot_hold() -> None:
    row = {"verdict": "wrong", "seconds": 1.5, "message": '<"&\x1b[1m', "text": "a\x00b]]>"}
    suite = ElementTree.fromstring(junit_xml([("x", row)]))
    failure = next(suite.iter("failure"))
    assert failure.get("message") == '<"&?[1m'
    assert failure.text == "a?b]]>"
