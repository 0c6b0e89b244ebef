"""`configure.py`: detect, plan, emit, and say what was found."""
