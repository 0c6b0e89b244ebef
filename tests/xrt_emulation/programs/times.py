"""times.py MANIFEST RUNS: as JSON, the seconds of each run, and with its syncs to and from the device."""

import json
import sys
import time

from design import FROM_DEVICE, TO_DEVICE, Design

design = Design(sys.argv[1])
design.fill(0, b"\1" * design.sizes[0])
times = {"run": [], "synced": []}
for _ in range(int(sys.argv[2])):
    start = time.perf_counter()
    design.buffers[0].sync(TO_DEVICE)
    called = time.perf_counter()
    state = design.run(60000)
    ended = time.perf_counter()
    design.buffers[1].sync(FROM_DEVICE)
    times["run"].append(ended - called)
    times["synced"].append(time.perf_counter() - start)
    assert state == "COMPLETED", state
print(json.dumps(times))
