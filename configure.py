"""Looks at this machine and at the designs in mlir/, and writes build.ninja.

`python configure.py --help` says how.
"""

import gc
import os
import sys

HOME = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HOME)

if sys.version_info < (3, 10):  # noqa: UP036  (this file is what people start with whatever Python they have)
    sys.exit("configure.py: Python 3.10 or newer is needed, this is " + sys.version.split()[0])

try:
    from npuninja.configure.main import main  # not before the version is known to do
except KeyboardInterrupt:  # before anything was begun
    sys.stderr.write("interrupted\n")
    sys.exit(130)

if __name__ == "__main__":
    # A graph is many objects that all live to the end: the collector would look at them again and again for
    # nothing.
    gc.disable()
    sys.exit(main(sys.argv[1:], os.environ, sys.stdout, HOME))
