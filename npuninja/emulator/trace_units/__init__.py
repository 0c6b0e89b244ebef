"""Trace units: what the sequence sets them to see, what they saw of a run, packets that hardware would send.

| module | does |
|---|---|
| `units` | the trace units that are switched on, from the registers and the writes of a runtime sequence |
| `seen` | the events of each unit, cycle by cycle, from a modelled timeline |
| `packets` | events to words and back: the format of a trace in event-time mode |
| `writer` | after a run, the packets on their way to the host's buffer |
| `perfetto` | a decoded buffer as a trace for Perfetto, with names of the design |

Cycles are those of the timing model (docs/timing-model.md): modelled, and called so wherever they are shown.
"""
