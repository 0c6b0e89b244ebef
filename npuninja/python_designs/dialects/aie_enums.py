"""The enums of the dialect `aie`, as Python enums."""

from __future__ import annotations

from npuninja.python_designs.construct import attributes as attrs

AIEDevice = attrs.enum_class("AIEDevice")
AIETileType = attrs.enum_class("AIETileType")
CascadeDir = attrs.enum_class("CascadeDir")
DMAChannelDir = attrs.enum_class("DMAChannelDir")
LockAction = attrs.enum_class("LockAction")
LockBlocking = attrs.enum_class("LockBlocking")
ObjectFifoPort = attrs.enum_class("ObjectFifoPort")
WireBundle = attrs.enum_class("WireBundle")
