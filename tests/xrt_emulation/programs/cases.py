"""cases.py CASE MANIFEST…: what goes wrong or is rare in XRT programs; prints a line for each thing seen."""

import ctypes
import os
import sys
import time

import numpy
import pyxrt
from design import FROM_DEVICE, OPCODE, TO_DEVICE, Design


def state_of(run, limit_ms=20000):
    return run.wait(limit_ms).name.removeprefix("ERT_CMD_STATE_")


def good_run(design):
    """Runs self_test or passthrough, whose first bytes of output are those of the input."""
    data = numpy.arange(design.sizes[0], dtype=numpy.uint32).astype(numpy.uint8).tobytes()
    design.fill(0, data)
    design.fill(1, bytes(design.sizes[1]))
    state = design.run()
    return state, design.content(1)[:16] == data[:16]


def instructions_and_data_swapped(manifest):
    design = Design(manifest)
    print(state_of(design.kernel(OPCODE, design.buffers[0], design.words, design.insts, design.buffers[1])))
    print(*good_run(design))


def input_and_output_swapped(manifest):
    design = Design(manifest)
    design.fill(0, b"\1" * design.sizes[0])
    design.fill(1, b"\2" * design.sizes[1])
    print(state_of(design.kernel(OPCODE, design.insts, design.words, *reversed(design.buffers))))
    print(design.content(0)[:2], design.content(1)[:2])


def wrong_opcode(manifest):
    design = Design(manifest)
    print(state_of(design.kernel(2, design.insts, design.words, *design.buffers)))


def buffer_missing(manifest):
    design = Design(manifest)
    print(state_of(design.kernel(OPCODE, design.insts, design.words, design.buffers[0])))


def buffer_too_small(manifest):
    design = Design(manifest)
    small = design.buffer(1, design.sizes[1] // 2)
    print(state_of(design.kernel(OPCODE, design.insts, design.words, design.buffers[0], small)))
    print(*good_run(design))


def cacheable_data(manifest):
    design = Design(manifest)
    data = pyxrt.bo(design.device, design.sizes[0], pyxrt.bo.cacheable, design.kernel.group_id(1))
    print(state_of(design.kernel(OPCODE, design.insts, design.words, data, design.buffers[1])))


def unknown_kernel(manifest):
    design = Design(manifest)
    try:
        pyxrt.kernel(design.context, "OTHER")
    except RuntimeError as error:
        print(error)


def damaged_instructions(manifest):
    design = Design(manifest)
    design.insts.write(b"\xff" * 64, 16)
    design.insts.sync(TO_DEVICE)
    print(state_of(design.start()))


def missing_sync_to_device(manifest):
    design = Design(manifest)
    view = numpy.frombuffer(design.buffers[0].map(), numpy.uint8)
    for value in (7, 8):
        view[:16] = value  # and no sync
        state = design.run()
        print(state, design.content(1)[:2])
        design.buffers[0].sync(TO_DEVICE)
        print(design.run(), design.content(1)[:2])


def missing_sync_from_device(manifest):
    design = Design(manifest)
    design.fill(0, b"\7" * design.sizes[0])
    design.fill(1, b"\1" * design.sizes[1])
    print(design.run(), bytes(design.buffers[1].map())[:2], design.content(1)[:2])


def missing_sync_of_instructions(manifest):
    design = Design(manifest)
    insts = bytes(design.insts.map())[: 4 * design.words]
    design.insts = pyxrt.bo(design.device, len(insts), pyxrt.bo.cacheable, design.kernel.group_id(1))
    design.insts.write(insts, 0)
    print(design.run())
    design.insts.sync(TO_DEVICE)
    print(*good_run(design))


def sync_of_a_part(manifest):
    design = Design(manifest)
    design.fill(0, b"\1" * design.sizes[0])
    design.fill(1, b"\2" * design.sizes[1])
    numpy.frombuffer(design.buffers[0].map(), numpy.uint8)[:] = 3
    design.buffers[0].sync(TO_DEVICE, 8192, 4096)  # bytes, offset
    state = design.run()
    design.buffers[1].sync(FROM_DEVICE, 8192, 8192)
    view = bytes(design.buffers[1].map())
    print(state, *(view[place] for place in (0, 4096, 8191, 8192, 12287, 12288, 16383, 16384)))


def sync_beyond_the_end(manifest):
    design = Design(manifest)
    try:
        design.buffers[0].sync(TO_DEVICE, 4096, design.sizes[0])
    except RuntimeError as error:
        print(error)


def once(manifest):
    print(*good_run(Design(manifest)))


def hang(manifest):
    design = Design(manifest)
    print(design.run(), design.run())


def wait_with_limit(manifest):
    design = Design(manifest)
    run = design.start()
    started = time.monotonic()
    try:
        run.wait(200)
    except RuntimeError as error:
        print(error)
    print(time.monotonic() - started < 1.5, state_of(run))


def too_many_contexts(manifest):
    designs = []
    try:
        while len(designs) < 20:
            designs.append(Design(manifest))
    except RuntimeError as error:
        print(len(designs), error)
    print(*good_run(designs[-1]))
    designs.pop()
    print(*good_run(Design(manifest)))


def refused(manifest):
    try:
        Design(manifest)
    except RuntimeError as error:
        print(error)


def contexts_side_by_side(manifest, other):
    first, second = Design(manifest), Design(other)
    for _ in range(3):
        print(*good_run(first), *good_run(second))


def runlist(manifest):
    design = Design(manifest)
    for _ in range(2):
        design.fill(0, bytes(range(16)) + bytes(design.sizes[0] - 16))
        design.fill(1, bytes(design.sizes[1]))
        commands = pyxrt.runlist(design.context)
        for _ in range(5):
            run = pyxrt.run(design.kernel)
            for number, value in enumerate([OPCODE, design.insts, design.words, *design.buffers]):
                run.set_arg(number, value)
            commands.add(run)
        commands.execute()
        commands.wait()
        print(design.content(1)[:16] == bytes(range(16)))


def runlist_with_error(manifest):
    design = Design(manifest)
    commands = pyxrt.runlist(design.context)
    for opcode in (OPCODE, 2, OPCODE):
        run = pyxrt.run(design.kernel)
        for number, value in enumerate([opcode, design.insts, design.words, *design.buffers]):
            run.set_arg(number, value)
        commands.add(run)
    commands.execute()
    try:
        commands.wait()
    except RuntimeError as error:
        print(error)


def many_in_flight(manifest):
    design = Design(manifest)
    runs = [design.start() for _ in range(30)]
    print(*{state_of(run) for run in runs})


def sub_buffer(manifest):
    design = Design(manifest)
    parent = design.buffer(0, 2 * design.sizes[0])
    part = pyxrt.bo(parent, design.sizes[0], 8192)
    view = numpy.frombuffer(parent.map(), numpy.uint8)
    view[8192 : 8192 + 16] = 9
    parent.sync(TO_DEVICE)
    print(
        state_of(design.kernel(OPCODE, design.insts, design.words, part, design.buffers[1])),
        design.content(1)[:16],
    )


def memory_of_the_program(manifest):
    design = Design(manifest)
    size = -(-design.sizes[0] // 4096) * 4096
    raw = numpy.zeros(size + 4096, numpy.uint8)
    start = -raw.ctypes.data % 4096
    mine = raw[start : start + size]
    mine[:16] = 5
    new_capsule = ctypes.pythonapi.PyCapsule_New
    new_capsule.restype, new_capsule.argtypes = (
        ctypes.py_object,
        [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p],
    )
    buffer = pyxrt.ext.bo(design.device, new_capsule(mine.ctypes.data, None, None), size)
    mine[8:16] = 6
    buffer.sync(TO_DEVICE)
    print(
        state_of(design.kernel(OPCODE, design.insts, design.words, buffer, design.buffers[1])),
        design.content(1)[:16],
    )
    del buffer
    mine[:] = 1
    print(int(mine.sum()) == size)


def buffers_come_and_go(manifest):
    design = Design(manifest)
    for _ in range(300):
        design.buffers = [design.buffer(number, size) for number, size in enumerate(design.sizes)]
        assert good_run(design) == ("COMPLETED", True)
    print("done")


def for_ever(manifest):
    """Longer than any test; it ends by itself in case that nobody is left to end it."""
    design = Design(manifest)
    print("running", flush=True)
    until = time.monotonic() + 120
    while time.monotonic() < until:
        assert design.run() == "COMPLETED"


def fork(manifest):
    design = Design(manifest)
    child = os.fork()
    if not child:
        try:
            design.run()
        except RuntimeError:
            print("child failed", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    print(*good_run(design))


def information(manifest):
    device = pyxrt.device(0)
    print(pyxrt.enumerate_devices(), device.get_info(pyxrt.xrt_info_device.name))
    print(device.get_info(pyxrt.xrt_info_device.bdf))


globals()[sys.argv[1]](*sys.argv[2:])
