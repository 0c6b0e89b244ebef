"""Which arguments a call of a runtime sequence may leave out."""

import pytest

from npuninja.device.bare_run import arguments_used
from npuninja.formats.txn import AddressPatch, Transaction, write_txn


@pytest.mark.parametrize(("patched", "used"), [((0,), 1), ((1,), 2), ((2, 0), 3)])
def test_arguments_behind_the_last_used_one_may_be_missing(tmp_path, patched, used):
    operations = tuple(AddressPatch(0x1D004, argument, 0) for argument in patched)
    path = tmp_path / "insts.bin"
    path.write_bytes(write_txn(Transaction(3, 6, 5, 1, operations)))
    assert arguments_used(str(path)) == used
