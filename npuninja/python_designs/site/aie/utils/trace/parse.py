"""`python …/aie/utils/trace/parse.py`: a trace as a JSON file. Host programs start it by its path."""

import os
import sys

# Only a design's process has the module that finds this file, so this process may not know npuninja yet.
sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 6)))
from npuninja.python_designs.host.trace_reader import main

if __name__ == "__main__":
    main()
