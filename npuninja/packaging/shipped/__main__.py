"""`python -m PACKAGE …` and `python FOLDER …` do what run.py does."""

import os
import runpy

runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "run.py"), run_name="__main__")
