"""Right answers to serving/paged_cache, each in its own style."""

from halfbits.course.authoring.contract import swap

CEIL = """
import math
def blocks_needed(lengths, block_size):
    return sum(math.ceil(n / block_size) for n in lengths)
"""
SLOTS = """
import torch
class PagedCache:
    def __init__(self, blocks, block_size, width):
        self.memory = torch.empty(blocks, block_size, width)
        self.flat = self.memory.view(-1, width)
        self.size, self.owner, self.slots = block_size, [None] * blocks, {}
    def append(self, request, entry):
        slots = self.slots.get(request, [])
        if slots and (slots[-1] + 1) % self.size:
            slot = slots[-1] + 1
        elif None in self.owner:
            block = self.owner.index(None)
            self.owner[block] = request
            slot = block * self.size
        else:
            raise MemoryError
        self.flat[slot].copy_(entry)
        self.slots[request] = [*slots, slot]
    def table(self, request):
        return [slot // self.size for slot in self.slots.get(request, [])[:: self.size]]
    def read(self, request):
        return self.flat[torch.tensor(self.slots.get(request, []), dtype=torch.long)]
    def release(self, request):
        for block in self.table(request):
            self.owner[block] = None
        self.slots.pop(request, None)
    def free_blocks(self):
        return self.owner.count(None)
"""
RECORDS = """
import torch
from collections import deque
from dataclasses import dataclass, field
@dataclass
class Request:
    blocks: list = field(default_factory=list)
    count: int = 0
class PagedCache:
    def __init__(self, blocks, block_size, width):
        self.memory = torch.full((blocks, block_size, width), float("nan"))
        self.spare, self.open = deque(range(blocks)), {}
    def append(self, request, entry):
        own = self.open.get(request) or Request()
        block, place = divmod(own.count, self.memory.size(1))
        if block == len(own.blocks):
            try:
                own.blocks.append(self.spare.popleft())
            except IndexError:
                raise MemoryError("full") from None
        self.memory[own.blocks[block]][place] = entry
        own.count += 1
        self.open[request] = own
    def table(self, request):
        return self.open[request].blocks[:] if request in self.open else []
    def read(self, request):
        if request not in self.open:
            return self.memory.new_zeros(0, self.memory.size(2))
        parts = torch.cat([self.memory[block] for block in self.open[request].blocks])
        return parts[: self.open[request].count].clone()
    def release(self, request):
        if request in self.open:
            self.spare.extend(self.open.pop(request).blocks)
    def free_blocks(self):
        return len(self.spare)
"""

RIGHT = {
    "math.ceil": CEIL,
    "slots in a flat memory, owners of blocks": SLOTS,
    "a record for each request, a queue": RECORDS,
    "the lowest block first": swap("PagedCache", "self._free.pop()", "self._free.pop(0)"),
}
