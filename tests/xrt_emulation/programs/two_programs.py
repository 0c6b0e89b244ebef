"""two_programs.py MANIFEST: two processes at once, of which one is killed while it runs; then a third one."""

import os
import subprocess
import sys

CASES = os.path.join(os.path.dirname(__file__), "cases.py")


def start(case):
    return subprocess.Popen([sys.executable, CASES, case, sys.argv[1]], stdout=subprocess.PIPE, text=True)


victim = start("for_ever")
assert victim.stdout.readline() == "running\n"
other = start("buffers_come_and_go")
print(start("once").communicate()[0], end="")
victim.kill()
victim.wait()
print(start("too_many_contexts").communicate()[0].split()[0] in ("5", "6"))
print(other.communicate()[0], end="")
print(start("too_many_contexts").communicate()[0].split()[0])
