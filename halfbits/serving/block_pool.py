"""A paged cache, counted: which blocks are free, held by a request, or kept for a prefix.

Kwon et al. 2023, PagedAttention: https://arxiv.org/abs/2309.06180.
"""

from __future__ import annotations

from halfbits.serving.request import Request

Key = tuple[str, int]  # a prefix and the place of a block in it


class BlockPool:
    """`blocks` blocks of `block_size` tokens each. A block belongs to one request, or holds part of
    a prefix that several read; blocks of a prefix that nobody reads stay until room is needed.

    Holders are numbered by the caller. With `reuse=False` no prefix is ever found.
    """

    def __init__(self, blocks: int, block_size: int = 16, reuse: bool = True) -> None:
        self.blocks, self.block_size, self.reuse = blocks, block_size, reuse
        self._private: dict[int, int] = {}
        self._reads: dict[int, list[Key]] = {}
        self._readers: dict[Key, int] = {}
        self._idle: dict[Key, None] = {}  # oldest first

    @property
    def held(self) -> int:
        """Blocks that requests hold, a shared one counted once."""
        return sum(self._private.values()) + len(self._readers)

    @property
    def idle(self) -> int:
        """Blocks of prefixes that nobody reads now; they count as free."""
        return len(self._idle)

    @property
    def free(self) -> int:
        """Blocks that a request could get."""
        return self.blocks - self.held

    def needed(self, tokens: int) -> int:
        """Blocks of one request with so many tokens: tokens / block_size, rounded up."""
        return -(-tokens // self.block_size)

    def room(self, holder: int) -> int:
        """Tokens that the holder's blocks have room for."""
        return self.block_size * (len(self._reads[holder]) + self._private[holder])

    def admit(self, holder: int, request: Request, tokens: int, spare: int = 0) -> int | None:
        """Give a new holder room for `tokens` tokens, and leave `spare` blocks free; None, and
        nothing changed, without room.

        Returns how many tokens of its prompt are in the cache already: whole blocks of its prefix,
        from the start on, and never the whole prompt, whose last token has to be read.
        """
        found = self._found(request)
        wanted = self.needed(tokens) - len(found)
        if wanted + spare > self.free - sum(key in self._idle for key in found):
            return None
        for key in found:
            self._idle.pop(key, None)
            self._readers[key] = self._readers.get(key, 0) + 1
        self._reads[holder], self._private[holder] = found, wanted
        self._evict()
        return len(found) * self.block_size

    def grow(self, holder: int, tokens: int) -> bool:
        """Room for `tokens` tokens in all; False, and nothing changed, without a free block."""
        more = self.needed(tokens) - len(self._reads[holder]) - self._private[holder]
        if more > self.free:
            return False
        self._private[holder] += max(0, more)
        self._evict()
        return True

    def share(self, holder: int, request: Request) -> None:
        """The prompt was read: whole blocks of its prefix that nobody has yet can be found now."""
        for place in range(request.shared // self.block_size if self.reuse else 0):
            key = request.prefix, place
            if key not in self._readers and key not in self._idle:
                self._private[holder] -= 1
                self._readers[key] = 1
                self._reads[holder].append(key)

    def release(self, holder: int) -> None:
        """Take the holder's blocks back; the end of a prefix will be evicted before its start."""
        del self._private[holder]
        for key in reversed(self._reads.pop(holder)):
            self._readers[key] -= 1
            if not self._readers[key]:
                del self._readers[key]
                self._idle[key] = None

    def _found(self, request: Request) -> list[Key]:
        most = min(request.shared, request.prompt - 1) // self.block_size if self.reuse else 0
        keys = ((request.prefix, place) for place in range(most))
        found = []
        for key in keys:
            if key not in self._readers and key not in self._idle:
                break
            found.append(key)
        return found

    def _evict(self) -> None:
        while self.held + self.idle > self.blocks:
            del self._idle[next(iter(self._idle))]
