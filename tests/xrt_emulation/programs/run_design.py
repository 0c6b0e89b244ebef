"""run_design.py MANIFEST FOLDER: runs a design twice on files FOLDER/0, 1, …, which then hold its buffers."""

import sys

from design import Design

design = Design(sys.argv[1])
for _ in range(2):
    for number in range(len(design.buffers)):
        with open(f"{sys.argv[2]}/{number}", "rb") as stream:
            design.fill(number, stream.read())
    assert design.run() == "COMPLETED"
for number in range(len(design.buffers)):
    with open(f"{sys.argv[2]}/{number}", "wb") as stream:
        stream.write(design.content(number))
