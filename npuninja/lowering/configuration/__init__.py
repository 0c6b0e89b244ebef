"""A lowered device as the three CDO files."""
