"""What a stream does with arguments that the program did not set."""

from npuninja.arch.registers import bd_offset, channel_queue, tile_address
from npuninja.formats.register_write import Write
from npuninja.formats.txn import AddressPatch, BlockWrite, Sync, Transaction, read_txn, write_txn
from npuninja.xrt_emulation.unset_arguments import unset_arguments


def stream(*transfers: tuple[int, str, int, int]) -> bytes:
    """Transfers of a shim: descriptor, direction, argument, offset in bytes; each of 16 words."""
    operations = []
    for bd, direction, argument, offset in transfers:
        start = tile_address(1, 0, bd_offset("shim", bd))
        queue = tile_address(1, 0, channel_queue("shim", direction, 1))
        operations.append(BlockWrite(start, (16).to_bytes(4, "little") + bytes(28)))
        operations.append(AddressPatch(start + 4, argument, offset))
        operations.append(Write(queue, 0x80000000 | bd))
    return write_txn(Transaction(3, 6, 4, 1, tuple(operations)))


def test_what_is_written_to_them_is_counted():
    made = stream((0, "MM2S", 0, 0), (1, "S2MM", 2, 0), (2, "S2MM", 3, 128), (3, "S2MM", 3, 0))
    assert unset_arguments(made, 2) == {2: 64, 3: 192}
    assert unset_arguments(made, 3) == {3: 192}
    assert unset_arguments(made, 4) == {}


def test_what_is_read_or_waited_for_is_needed():
    assert unset_arguments(stream((0, "MM2S", 1, 0), (1, "S2MM", 0, 0)), 1) == {}
    written = stream((1, "S2MM", 1, 0))
    assert unset_arguments(written, 1) == {1: 64}
    for column, direction, channel, needed in (
        (1, 0, 1, True),
        (0, 0, 1, False),
        (1, 1, 1, False),
        (1, 0, 0, False),
    ):
        wait = Sync(column, 0, direction, channel, 1, 1)
        transaction = read_txn(written)
        waiting = write_txn(transaction._replace(operations=(*transaction.operations, wait)))
        assert unset_arguments(waiting, 1) == ({} if needed else {1: 64})


def test_a_descriptor_that_is_written_again_is_another_one():
    made = stream((0, "S2MM", 2, 0), (0, "MM2S", 0, 0))
    assert unset_arguments(made, 1) == {2: 64}


def test_a_damaged_stream_is_left_to_the_array():
    """Its driver runs it as far as it goes, and says then where it is damaged."""
    made = stream((1, "S2MM", 2, 0))
    assert unset_arguments(made, 2) == {2: 64}
    assert unset_arguments(made[:-4], 2) == {}
    assert unset_arguments(bytes(8), 2) == {}
