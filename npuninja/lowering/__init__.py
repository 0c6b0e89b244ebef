"""From a design to registers, with the results of the reference tools."""
