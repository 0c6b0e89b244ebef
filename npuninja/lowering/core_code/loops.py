"""The jumps that close a loop in which a core waits.

A step function enters the middle of such a loop when it goes on after a wait. A loop with two entries is
irreducible, which costs the compiler seconds and the loop its optimisations; so these jumps go through the
dispatcher at the function's start, then the only header of them all. Loops without a wait stay as they are.
"""

from __future__ import annotations

from npuninja.ir.core import Block, Region
from npuninja.lowering.core_code.liveness import is_wait

BlockEdge = tuple[Block, Block]


def waiting_back_edges(region: Region) -> list[BlockEdge]:
    """The edges to cut so that no cycle of blocks with a wait in it is left, by order of their targets."""
    order = {block: i for i, block in enumerate(region.blocks)}
    edges = {(block, target) for block in region.blocks for op in block.ops for target, _ in op.successors}
    waiting = {block for block in region.blocks if any(is_wait(op) for op in block.ops)}
    cut: list[BlockEdge] = []
    pending = [(list(region.blocks), edges)]
    while pending:
        blocks, inner = pending.pop()
        for component in _components(blocks, inner):
            members = set(component)
            within = {e for e in inner if e[0] in members and e[1] in members}
            if not within or not members & waiting:
                continue
            # The loop's header: where it is entered from outside; the first block when nothing enters it.
            headers = {t for s, t in edges if t in members and s not in members} or {
                min(component, key=order.__getitem__)
            }
            closing = {e for e in within if e[1] in headers}
            cut += closing
            pending.append((component, within - closing))
    return sorted(cut, key=lambda e: (order[e[1]], order[e[0]]))


def _components(blocks: list[Block], edges: set[BlockEdge]) -> list[list[Block]]:
    """Strongly connected components (Kosaraju)."""
    forward: dict[Block, list[Block]] = {block: [] for block in blocks}
    backward: dict[Block, list[Block]] = {block: [] for block in blocks}
    for source, target in edges:
        forward[source].append(target)
        backward[target].append(source)
    finished: list[Block] = []
    seen: set[Block] = set()
    for block in blocks:
        _visit(block, forward, seen, finished)
    components = []
    seen = set()
    for block in reversed(finished):
        component: list[Block] = []
        _visit(block, backward, seen, component)
        if component:
            components.append(component)
    return components


def _visit(start: Block, graph: dict[Block, list[Block]], seen: set[Block], finished: list[Block]) -> None:
    """Depth first; appends each new block when all it leads to has been appended."""
    if start in seen:
        return
    seen.add(start)
    stack = [(start, iter(graph[start]))]
    while stack:
        block, successors = stack[-1]
        for following in successors:
            if following not in seen:
                seen.add(following)
                stack.append((following, iter(graph[following])))
                break
        else:
            stack.pop()
            finished.append(block)
