"""`python …/aie/utils/trace/get_trace_summary.py --input trace.json`: how often kernels ran.

Programs start it by its path.
"""

import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 6)))
from npuninja.python_designs.host.trace_files import main

if __name__ == "__main__":
    main()
