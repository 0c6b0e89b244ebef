"""The timing model: how long a design would take on an NPU, from what it does on the emulated array.

work = count_work(xclbin, insts, arguments)
report = time_work(work, clock_hz=1.0e9, elements=3000, unit="frame")

docs/timing-model.md says what is modelled, from which facts, and how far it can be trusted.
"""

from npuninja.emulator.timing.band import Band
from npuninja.emulator.timing.model import LABEL, ModelReport, model, time_work
from npuninja.emulator.timing.render import render
from npuninja.emulator.timing.work import ChannelWork, CoreWork, SequenceWork, Work, count_work

__all__ = [
    "LABEL",
    "Band",
    "ChannelWork",
    "CoreWork",
    "ModelReport",
    "SequenceWork",
    "Work",
    "count_work",
    "model",
    "render",
    "time_work",
]
