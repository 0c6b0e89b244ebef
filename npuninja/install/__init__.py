"""Real tools from a distribution's packages, in a folder of their own: nothing of the system is changed."""
