"""`configure.py`: detect, plan, emit, and say what was found."""

from npuninja.configure.signals import hold_back

hold_back()
