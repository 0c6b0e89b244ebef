"""times.py MANIFEST RUNS: the seconds that each run took, as JSON."""

import json
import sys
import time

from design import Design

design = Design(sys.argv[1])
times = []
for _ in range(int(sys.argv[2])):
    start = time.perf_counter()
    state = design.run(60000)
    times.append(time.perf_counter() - start)
    assert state == "COMPLETED", state
print(json.dumps(times))
