"""Families of instructions as the runtime takes them; `npuninja.machine_code.prepare` is the door.

- `fields`: one operation of the runtime, being filled.
- `scalars`, `memory`, `vectors`: what fills it, a function for each family.
"""
