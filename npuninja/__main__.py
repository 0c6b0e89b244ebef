"""`python -m npuninja VERB …`, and `python PATH/npuninja VERB …` without an installation."""

import os
import sys

if not __package__:
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from npuninja.cli import main

if __name__ == "__main__":
    sys.exit(main())
