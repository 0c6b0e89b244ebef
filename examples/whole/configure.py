"""Looks at this machine and at the designs in mlir/, and writes build.ninja: `python configure.py --help`."""

from npuninja.configure.main import main

raise SystemExit(main())
