"""Small designs for the names of the specification's tables, each beside what it prints in each generation.

A file of `names/` is sections; the golden file holds the module of each after its names.
`pytest tests/python_designs/test_python_names.py --regen` writes them again; look at the difference.
"""

import os
import re

import pytest

from npuninja.python_designs.script import run_design

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "names")

#: What designs use, by the module that offers it: each has a section.
WANTED = {
    "placed": """
        AIEDevice LockAction ObjectFifoPort DMAChannelDir WireBundle tile core external_func call buffer external_buffer
        lock use_lock acquire release object_fifo object_fifo_link flow packetflow cascade_flow switchbox shim_mux connect
        mem memtile_dma shim_dma dma_start dma_bd next_bd EndOp dma another_bd bd_chain bd_dim_layout
    """,
    "sequences": """
        runtime_sequence npu_dma_memcpy_nd dma_wait npu_dma_wait shim_dma_single_bd_task shim_dma_bd dma_start_task
        dma_await_task dma_free_task dma_configure_task dma_configure_task_for bds dma_start_bd_chain
        dma_start_bd_chain_for npu_write32 npu_maskwrite32 npu_sync npu_address_patch npu_push_queue npu_writebd
        npu_rtp_write set_lock
    """,
    "values": """
        constant index.constant casts castu range_ if_ else_ load store index_cast yield_ trunci extsi sitofp fptosi select func
        view T np_dtype_to_mlir_type np_ndarray_type_to_memref_type try_convert_np_type_to_mlir_type
    """,
    "high_level": """
        ObjectFifo Worker Runtime Program SequentialPlacer Kernel Buffer WorkerRuntimeBarrier forward split join
        task_group finish_task_group inline_ops set_barrier TensorAccessPattern TensorTiler2D str_to_dtype dtype_to_str
        Tile NPU2 while_true use_write_rtp initial_value
    """,
    "ready_kernels": "",
}


def cases():
    found = []
    for name in WANTED:
        with open(os.path.join(FOLDER, f"{name}.py"), encoding="utf-8") as stream:
            (generations,) = re.findall(r"^# generations: (.*)$", stream.read(), re.M)
        found += [(name, generation) for generation in generations.split()]
    return found


@pytest.mark.parametrize(("name", "generation"), cases())
def test_names_print_their_operations(name, generation, request):
    script = os.path.join(FOLDER, f"{name}.py")
    outcome = run_design(script, [], generation=generation, catches_errors=True)
    assert outcome.exit_code == 0, outcome.errors
    expected = os.path.join(FOLDER, f"{name}.{generation}.txt")
    if request.config.getoption("--regen"):
        with open(expected, "w", encoding="utf-8") as stream:
            stream.write(outcome.text)
    with open(expected, encoding="utf-8") as stream:
        assert outcome.text == stream.read()


@pytest.mark.parametrize("name", [name for name in WANTED if WANTED[name]])
def test_every_wanted_name_has_a_section(name):
    with open(os.path.join(FOLDER, f"{name}.py"), encoding="utf-8") as stream:
        text = stream.read()
    sections = set(
        re.findall(r'"([^"]+)"', " ".join(re.findall(r"^@section\((.*?)\)\ndef", text, re.M | re.S)))
    )
    assert set(WANTED[name].split()) - sections == set()
