"""Operations of the dialect `aie` for streams: flows, packet flows, cascades, the ends at the host."""

from __future__ import annotations

from typing import Any

from npuninja.ir import core as ir
from npuninja.python_designs.construct import insertion
from npuninja.python_designs.construct.operations import OpView, build
from npuninja.python_designs.construct.values import Value


def flow(
    source: Any,
    source_bundle: Any = None,
    source_channel: Any = None,
    dest: Any = None,
    dest_bundle: Any = None,
    dest_channel: Any = None,
    **_: Any,
) -> Any:
    """`aie.flow(source, bundle : channel, dest, bundle : channel)`; DMA channel 0 where nothing is given."""
    assert dest is not None, "a flow needs dest="
    attributes = {
        "source_bundle": "DMA" if source_bundle is None else source_bundle,
        "source_channel": source_channel or 0,
        "dest_bundle": "DMA" if dest_bundle is None else dest_bundle,
        "dest_channel": dest_channel or 0,
    }
    return build("aie.flow", [source, dest], attributes)


def packetflow(
    pkt_id: int,
    source: Any,
    source_port: Any,
    source_channel: Any,
    dests: Any,
    keep_pkt_header: Any = None,
    **_: Any,
) -> Any:
    """`aie.packet_flow(id) { packet_source; packet_dest… }`; a destination is {"dest", "port", "channel"}."""
    attributes = {"ID": pkt_id, "keep_pkt_header": keep_pkt_header}
    made = build("aie.packet_flow", [], attributes, regions=[ir.Region([ir.Block()])])
    with insertion.InsertionPoint(made.ir.body):
        build("aie.packet_source", [source], {"bundle": source_port, "channel": source_channel})
        for dest in [dests] if isinstance(dests, dict) else dests:
            build("aie.packet_dest", [dest["dest"]], {"bundle": dest["port"], "channel": dest["channel"]})
    return made


def cascade_flow(source_tile: Any, dest_tile: Any, **_: Any) -> Any:
    """Makes `aie.cascade_flow(source, dest)`."""
    return build("aie.cascade_flow", [source_tile, dest_tile])


def shim_dma_allocation(sym_name: str, *arguments: Any, **options: Any) -> Any:
    """`aie.shim_dma_allocation`: (name, tile, direction, channel), older (name, direction, channel, col)."""
    names = ("channel_dir", "channel_index", "col")
    rest = list(arguments)
    tile_ = options.pop("shim_tile", options.pop("tile", None))
    if rest and isinstance(rest[0], (OpView, Value)):
        tile_ = rest.pop(0)
    given = {
        **dict(zip(names, rest)),
        **{k: v for k, v in options.items() if k in (*names, "plio", "packet")},
    }
    if given.get("plio") is False:
        del given["plio"]
    return build("aie.shim_dma_allocation", [] if tile_ is None else [tile_], {"sym_name": sym_name, **given})


def put_cascade(cascadeValue: Any, **_: Any) -> Any:
    """Makes `aie.put_cascade`."""
    return build("aie.put_cascade", [cascadeValue])
