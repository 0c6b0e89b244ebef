#!/usr/bin/env python3
"""Runs a built design: `python host/run.py build/npu1_1col/wasm/passthrough/passthrough.json --verify`.

The same as `npuninja run`, for a checkout without installation.
"""

import os
import sys

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from npuninja.cli import main

    sys.exit(main(["run", *sys.argv[1:]]))
