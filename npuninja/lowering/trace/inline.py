"""`aie.trace.start_config @x` becomes one register write for each register of the configuration @x."""

from __future__ import annotations

from npuninja.arch.event_registers import trace_registers
from npuninja.arch.events import module_of
from npuninja.errors import UserError
from npuninja.ir.attributes import EnumAttr
from npuninja.ir.core import Operation
from npuninja.lowering.lookup import sequences
from npuninja.lowering.npu_operations import write_register
from npuninja.lowering.tiles import kind_at, ops_of, place_of


def config_module(config: Operation) -> str:
    """The module that an `aie.trace.config` sets up."""
    kind = config.attributes.get("packet_type")
    return module_of(kind_at(config.tile).name, isinstance(kind, EnumAttr) and kind.case == "mem")


def inline_configurations(device: Operation) -> None:
    """Replaces every `aie.trace.start_config` of a device; the masks of the registers do not count.

    Raises:
        UserError: no such configuration, or a register its module does not have.
    """
    configs = {op.string("sym_name"): op for op in ops_of(device, "aie.trace.config")}
    for sequence in sequences(device):
        for start in [op for op in sequence.walk() if op.name == "aie.trace.start_config"]:
            config = configs.get(start.symbol("trace_config"))
            if config is None:
                raise UserError(f"there is no trace '@{start.symbol('trace_config')}'", start.loc)
            column, row = place_of(config.tile)
            registers = trace_registers(config_module(config))
            writes = []
            for op in config.body.ops:
                if op.name != "aie.trace.reg":
                    continue
                register = registers.get(op.string("reg_name"))
                if register is None:
                    raise UserError(
                        f"tile ({column}, {row}) has no trace register '{op.string('reg_name')}'", op.loc
                    )
                writes.append(write_register(start, column, row, register.offset, op.integer("value")))
            for write in writes:
                start.insert_before(write)
            start.erase()
