"""`python -m npuninja VERB …`, and `python PATH/npuninja VERB …` without an installation."""

import os
import sys

if not __package__:
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

try:
    from npuninja.own_bytecode import keep_own_bytecode

    keep_own_bytecode()
    from npuninja.cli import main
    from npuninja.leaving import leave
except KeyboardInterrupt:  # before anything could be begun
    sys.stderr.write("interrupted\n")
    sys.exit(130)

if __name__ == "__main__":
    leave(main())
