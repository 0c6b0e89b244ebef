import sys

from .sizes import LINE

print(f"module {{ // {LINE} {' '.join(sys.argv[1:])} {__name__}\n}}")
