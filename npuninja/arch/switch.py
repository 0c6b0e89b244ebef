"""The stream switch of each kind of tile: its ports, their numbers, and which may be connected.

A port is `(bundle, channel)`, named as in MLIR. A *master* leads out of the switch, a *slave* into it.
`South:k` of a tile is wired to `North:k` of the tile below, `East:k` to `West:k` of the tile to the right.

Sources: AM025 and aie-rt's xaie_ss_aieml.c (port numbers), MLIR-AIE's AIETargetModel.cpp (counts, legal
connections).
"""

from __future__ import annotations

#: (bundle, channel), e.g. ("DMA", 0).
SwitchPort = tuple[str, int]

#: Bundles in the order of MLIR's enum WireBundle, which is the order in which the router sorts ports.
BUNDLES = ("Core", "DMA", "FIFO", "South", "West", "North", "East", "PLIO", "NOC", "Trace", "TileControl")
BUNDLE_ORDER = {bundle: i for i, bundle in enumerate(BUNDLES)}
OPPOSITE = {"South": "North", "North": "South", "West": "East", "East": "West"}
#: (column, row) steps of the four directions.
STEP = {"South": (0, -1), "North": (0, 1), "West": (-1, 0), "East": (1, 0)}


def _ports(*groups: tuple[str, int]) -> tuple[SwitchPort, ...]:
    return tuple((bundle, channel) for bundle, count in groups for channel in range(count))


#: Master ports of each tile kind; the position is the hardware's port number.
MASTERS: dict[str, tuple[SwitchPort, ...]] = {
    "core": _ports(
        ("Core", 1),
        ("DMA", 2),
        ("TileControl", 1),
        ("FIFO", 1),
        ("South", 4),
        ("West", 4),
        ("North", 6),
        ("East", 4),
    ),
    "mem": _ports(("DMA", 6), ("TileControl", 1), ("South", 4), ("North", 6)),
    "shim": _ports(("TileControl", 1), ("FIFO", 1), ("South", 6), ("West", 4), ("North", 6), ("East", 4)),
}
#: Slave ports of each tile kind. Trace:0 of a core tile is the core's trace, Trace:1 the memory module's.
SLAVES: dict[str, tuple[SwitchPort, ...]] = {
    "core": _ports(
        ("Core", 1),
        ("DMA", 2),
        ("TileControl", 1),
        ("FIFO", 1),
        ("South", 6),
        ("West", 4),
        ("North", 4),
        ("East", 4),
        ("Trace", 2),
    ),
    "mem": _ports(("DMA", 6), ("TileControl", 1), ("South", 6), ("North", 4), ("Trace", 1)),
    "shim": _ports(
        ("TileControl", 1), ("FIFO", 1), ("South", 8), ("West", 4), ("North", 4), ("East", 4), ("Trace", 1)
    ),
}
_MASTER_INDEX = {kind: {port: i for i, port in enumerate(ports)} for kind, ports in MASTERS.items()}
_SLAVE_INDEX = {kind: {port: i for i, port in enumerate(ports)} for kind, ports in SLAVES.items()}

#: Packet switching: arbiters of a switch, masks ("msel") of an arbiter, rules ("slots") of a slave port.
ARBITERS = 6
MSELS = 4
SLOTS = 4
#: Width of a packet's stream id.
PACKET_ID_BITS = 5
MAX_PACKET_ID = 31
#: Streams that one channel between two switches may carry when they are packet-switched (one for each id).
PACKETS_PER_CHANNEL = 32

#: The shim multiplexer: what leaves the DMA's MM2S channel n enters the switch at South of this channel …
SHIM_MM2S_SOUTH = (3, 7)
#: … and South of this channel leads to S2MM channel n.
SHIM_S2MM_SOUTH = (2, 3)
#: The same for the four NoC streams (AIECreatePathFindFlows.cpp).
SHIM_NOC_SOURCE_SOUTH = (2, 3, 6, 7)
SHIM_NOC_DEST_SOUTH = (2, 3, 4, 5)


def master_index(kind: str, bundle: str, channel: int) -> int:
    """The number of a master port. KeyError when the tile kind has no such port."""
    return _MASTER_INDEX[kind][bundle, channel]


def slave_index(kind: str, bundle: str, channel: int) -> int:
    """The number of a slave port. KeyError when the tile kind has no such port."""
    return _SLAVE_INDEX[kind][bundle, channel]


def _count(ports: tuple[SwitchPort, ...], extra: dict[str, int]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for bundle, _ in ports:
        counts[bundle] = counts.get(bundle, 0) + 1
    counts.update(extra)
    return counts


#: Ports of each bundle that the router may use; a shim tile's include what lies behind its multiplexer.
MASTER_COUNTS = {
    kind: _count(ports, {"DMA": 2, "NOC": 4, "PLIO": 6} if kind == "shim" else {})
    for kind, ports in MASTERS.items()
}
SLAVE_COUNTS = {
    kind: _count(ports, {"DMA": 2, "NOC": 4, "PLIO": 8} if kind == "shim" else {})
    for kind, ports in SLAVES.items()
}

_COMPASS = frozenset(("South", "West", "North", "East"))
_BEHIND_MUX = frozenset(("DMA", "NOC", "PLIO"))
# For each tile kind and source bundle: the bundles it may be connected to.
_CORE_DESTS = frozenset(("Core", "DMA", "TileControl", "FIFO")) | _COMPASS
_SHIM_DESTS = frozenset(("TileControl", "FIFO")) | _COMPASS
_DESTS: dict[str, dict[str, frozenset[str]]] = {
    "core": {
        **dict.fromkeys(("DMA", "FIFO", "South", "West", "North", "East"), _CORE_DESTS),
        "Core": _CORE_DESTS - {"Core"},
        "TileControl": _CORE_DESTS - {"TileControl", "DMA"},
        "Trace": frozenset(("DMA", "FIFO", "South")),
    },
    "mem": {
        "DMA": frozenset(("DMA", "South", "North", "TileControl")),
        "South": frozenset(("DMA", "TileControl", "South", "North")),
        "North": frozenset(("DMA", "TileControl", "South", "North")),
        "Trace": frozenset(("DMA", "South")),
        "TileControl": frozenset(("DMA", "South", "North")),
    },
    "shim": {
        "TileControl": _SHIM_DESTS - {"TileControl"},
        "Trace": frozenset(("FIFO", "South", "West", "East")),
        **dict.fromkeys(("FIFO", "South", "West", "North", "East"), _SHIM_DESTS),
    },
}


def legal_connection(kind: str, source: SwitchPort, dest: SwitchPort) -> bool:
    """Whether the switch of a tile of this kind can connect slave `source` to master `dest`.

    On a shim tile every connection with what lies behind the multiplexer (DMA, NOC, PLIO) is legal, as in
    MLIR-AIE; the router takes the multiplexer's channels into account itself.
    """
    source_bundle, source_channel = source
    dest_bundle, dest_channel = dest
    if source_channel >= SLAVE_COUNTS[kind].get(source_bundle, 0) or dest_channel >= MASTER_COUNTS[kind].get(
        dest_bundle, 0
    ):
        return False
    if kind == "shim" and (source_bundle in _BEHIND_MUX or dest_bundle in _BEHIND_MUX):
        return True
    if dest_bundle not in _DESTS[kind].get(source_bundle, ()):
        return False
    if source_bundle == "Trace":
        if dest_bundle == "DMA":
            return dest_channel == (5 if kind == "mem" else 0)
        return dest_bundle not in ("West", "East") or dest_channel == 0
    if kind == "mem":
        if source_bundle == "TileControl":
            return dest_bundle != "DMA" or dest_channel == 5
        if source_bundle in _COMPASS and dest_bundle in _COMPASS:
            return source_channel == dest_channel
    if kind == "shim" and source_bundle in ("FIFO", "South"):
        return True
    return source_bundle != dest_bundle or source_channel == dest_channel
