"""Mistakes in designs: each gives the exception of MLIR-AIE's own Python layer, in words that lead on."""

import os

import pytest

from npuninja.python_designs.script import run_design

MISTAKES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mistakes.py")

#: Function in mistakes.py -> exception type and a part of its text. Types: those of MLIR-AIE of August 2026.
WANTED = {
    "no_depth": ("ValueError", "has no depth: give one to it, or a default"),
    "two_subscripts": ("IndexError", "2 indices for a memref of 1 dimensions"),
    "fill_of_a_number": (
        "ValueError",
        "the host's side of a transfer is an argument of the runtime's function, got 5",
    ),
    "fill_outside": (
        "RuntimeError",
        "fill(), drain() and TaskGroup() belong in the function given to Runtime(seq_fn, fn_args)",
    ),
    "barrier_of_no_worker": ("ValueError", "this barrier belongs to no worker yet"),
    "operand_that_is_no_value": ("ValueError", "expected a value"),
    "next_of_a_descriptor": (
        "ValueError",
        "next is 'self', the index of a Bd of the channel, or None, not 'next'",
    ),
    "loop_variable_stored": ("MLIRError", "the value is index, an element of memref<16xi32> is not"),
    "loop_left_by_break": ("MLIRError", "its Python loop was left by break or return"),
    "wrong_argument_of_a_kernel": (
        "MLIRError",
        "argument 0 has type memref<16xi32>, expected memref<64xi32>",
    ),
    "descriptor_without_next": ("MLIRError", "a block of 'aie.mem' ends without a terminator"),
    "finished_twice": ("nothing", ""),
    "transfer_without_sizes": ("nothing", ""),
    "name_that_is_asked_for": ("nothing", ""),
    "filled_from_the_wrong_side": (
        "ValueError",
        "fill() sends into an objectFifo: its handle is prod(), and this is a consumer's",
    ),
    "pinned_afterwards": ("ValueError", "line has channel None and cannot have 1 too"),
    "pinned_twice_alike": ("nothing", ""),
    "tiles_without_an_end": ("ValueError", "nothing drains"),
    "split_into_nothing": ("ValueError", "an ObjectFifoLink has no destination"),
    "runtime_without_a_function": ("TypeError", "seq_fn"),
    "name_as_a_subscript": ("IndexError", "'a' is no index of a memref"),
    "array_stored_in_an_element": ("AssertionError", "memref<16xi32> requires a scalar element"),
    "endless_loop_over_a_buffer": ("TypeError", "use `for i in range_(size)`"),  # which never ends there
    "parameter_without_a_type": (
        "ValueError",
        "argument 0 is no type of arrays or numbers, so it has no dtype",
    ),
    "sequence_against_a_pattern": ("AttributeError", "_taps"),
    "pattern_of_another_tensor": (
        "ValueError",
        "are of a tensor (4, 4); this one is of (4, 5)",
    ),
    "kernel_of_another_width": (
        "ValueError",
        "threshold(): dtype must be np.uint8, np.int16 or np.int32, got <class 'numpy.float32'>",
    ),
    "kernel_of_another_stride": ("ValueError", "bn_conv2dk3_dw(): stride 3 is neither 1 nor 2"),
    "random_numbers_without_a_shape": ("ValueError", "rand() makes a tensor of a shape"),
    "result_of_another_shape": ("ValueError", "`out` is of another shape, type or device"),
    "part_at_half_a_byte": ("TypeError", "subview() begins at a whole byte, and offset is 1.5"),
    "jitted_number": ("AttributeError", "'int' object has no attribute 'operation'"),
    "module_that_is_missing": ("ModuleNotOffered", "No module named 'aie.teleporter'"),
    "device_of_an_older_release": ("AttributeError", "npu1_4col: what older releases called npu1"),
    "control_packets": ("ValueError", "['0x2003', '0x1f000', '0x2', '0x2003', '0x2700400']"),
}


@pytest.fixture(scope="module")
def raised():
    outcome = run_design(MISTAKES, [], catches_errors=True, generation="2026-08", print_only=True)
    assert outcome.exit_code == 0, outcome.errors
    found = {}
    for line in outcome.text.splitlines():
        name, kind, text = line.split(" | ", 2)
        found[name] = (kind, text)
    assert set(found) == set(WANTED)
    return found


@pytest.mark.parametrize("name", WANTED)
def test_a_mistake_raises_what_the_bindings_raise(raised, name):
    kind, text = WANTED[name]
    assert raised[name][0] == kind
    assert text in raised[name][1]
