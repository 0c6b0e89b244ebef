"""`python …/aie/utils/trace/parse.py`: a trace as a JSON file. Host programs start it by its path."""

import os
import sys

# A module that only a design's process has finds the file: this process may know npuninja under no name yet.
sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 6)))
from npuninja.python_designs.host.trace_reader import main

if __name__ == "__main__":
    main()
