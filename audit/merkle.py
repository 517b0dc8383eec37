"""The Merkle tree of RFC 9162 §2.1 over SHA-256: its root, and proofs about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice

from tables.leaves import LEAF_PREFIX

NODE_PREFIX = b"\x01"
EMPTY_ROOT = hashlib.sha256().digest()
BLOCK = 2**16  # leaves that are put together level by level, which is quicker than one by one
Proof = list[bytes]


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry (§2.1.1)."""
    return hashlib.sha256(LEAF_PREFIX + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees (§2.1.1)."""
    return hashlib.sha256(NODE_PREFIX + left + right).digest()


@dataclass(frozen=True)
class Frontier:
    """All that is needed of a tree to let it grow.

    Attributes:
        size: Leaves.
        peaks: Roots of the full subtrees that it consists of, one for each bit of ``size``, the
            largest first.
    """

    size: int
    peaks: tuple[bytes, ...]

    def root(self) -> bytes:
        """The root of the whole tree."""
        if not self.peaks:
            return EMPTY_ROOT
        *others, found = self.peaks
        for peak in reversed(others):
            found = node_hash(peak, found)
        return found

    def with_leaves(self, leaves: Iterable[bytes]) -> Frontier:
        """The tree with more leaves behind its own; of these a block at a time is held."""
        size, peaks, waiting = self.size, list(self.peaks), iter(leaves)
        # Up to the end of a block, so that all that follow are full subtrees.
        while block := list(islice(waiting, BLOCK - size % BLOCK)):
            if len(block) == BLOCK:
                _carry(peaks, _full_root(block), size // BLOCK)
            else:
                for place, leaf in enumerate(block, start=size):
                    _carry(peaks, leaf, place)
            size += len(block)
        return Frontier(size, tuple(peaks))

    def as_text(self) -> str:
        """Size and peaks, for a column of a table."""
        return " ".join([str(self.size), *(peak.hex() for peak in self.peaks)])

    @staticmethod
    def from_text(text: str) -> Frontier:
        """What ``as_text`` wrote.

        Raises:
            ValueError: It is not.
        """
        size, *peaks = text.split(" ")
        found = Frontier(int(size), tuple(bytes.fromhex(peak) for peak in peaks))
        if len(found.peaks) != found.size.bit_count():
            raise ValueError(f"a tree of {found.size} leaves has not {len(found.peaks)} peaks")
        return found


EMPTY = Frontier(0, ())


def _full_root(nodes: Sequence[bytes]) -> bytes:
    """Of 2^n nodes."""
    sha256, prefix = hashlib.sha256, NODE_PREFIX
    while len(nodes) > 1:
        pairs = zip(nodes[::2], nodes[1::2], strict=True)
        nodes = [sha256(prefix + left + right).digest() for left, right in pairs]
    return nodes[0]


def _carry(peaks: list[bytes], node: bytes, place: int) -> None:
    """Add a subtree as large as the smallest; as with 1 in binary, equal ones are joined.

    Args:
        peaks: Changed.
        node: Root of the subtree.
        place: How many subtrees of that size come before it.
    """
    while place & 1:
        node = node_hash(peaks.pop(), node)
        place >>= 1
    peaks.append(node)


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, as §2.1.1 defines it."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return node_hash(tree_root(leaves[:split]), tree_root(leaves[split:]))


def inclusion_proof(leaves: Sequence[bytes], index: int) -> Proof:
    """Hashes that lead from a leaf to the root (§2.1.3.1).

    Raises:
        IndexError: There is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"no leaf {index} in a tree of {len(leaves)}")
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(leaves[:split], index), tree_root(leaves[split:])]
    return [*inclusion_proof(leaves[split:], index - split), tree_root(leaves[:split])]


class GrownTree:
    """A tree of which the first leaves are known by their frontier alone, for proofs of the others.

    Args:
        earlier: The tree before.
        leaves: Those behind it.
    """

    def __init__(self, earlier: Frontier, leaves: Sequence[bytes]) -> None:
        self.size = earlier.size + len(leaves)
        self._earlier, self._leaves = earlier, leaves
        self._roots: dict[tuple[int, int], bytes] = {}
        sizes = [
            1 << bit
            for bit in reversed(range(earlier.size.bit_length()))
            if earlier.size >> bit & 1
        ]
        starts = accumulate(sizes, initial=0)
        # Where each full subtree of the earlier tree begins.
        self._peaks = list(zip(starts, earlier.peaks, strict=False))

    def inclusion_proof(self, index: int) -> Proof:
        """Hashes that lead from a later leaf to the root (§2.1.3.1).

        Raises:
            IndexError: There is no such leaf, or only the earlier tree knows it.
        """
        if not self._earlier.size <= index < self.size:
            raise IndexError(f"no leaf {index} among {self._earlier.size} to {self.size - 1}")
        proof: Proof = []
        start, end = 0, self.size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                proof.append(self._root(middle, end))
                end = middle
            else:
                proof.append(self._root(start, middle))
                start = middle
        return proof[::-1]

    def _root(self, start: int, end: int) -> bytes:
        """Of the leaves in ``[start, end)``, a subtree that stands beside the way to a leaf."""
        if (start, end) not in self._roots:
            own = self._leaves[max(0, start - self._earlier.size) : end - self._earlier.size]
            before = [peak for at, peak in self._peaks if start <= at < end]
            size = max(0, min(end, self._earlier.size) - start)
            grown = Frontier(size, tuple(before)).with_leaves(
                own if end > self._earlier.size else ()
            )
            self._roots[start, end] = grown.root()
        return self._roots[start, end]


def consistency_proof(leaves: Sequence[bytes], earlier: int) -> Proof:
    """Hashes that show that the first ``earlier`` leaves are those of a former tree (§2.1.4.1).

    Raises:
        IndexError: The tree was never of that size, or empty.
    """
    if not 0 < earlier <= len(leaves):
        raise IndexError(f"a tree of {len(leaves)} leaves continues none of {earlier}")
    return _subproof(leaves, earlier, is_known=True)


def _subproof(leaves: Sequence[bytes], earlier: int, *, is_known: bool) -> Proof:
    if earlier == len(leaves):
        return [] if is_known else [tree_root(leaves)]
    split = _split(len(leaves))
    if earlier <= split:
        kept = _subproof(leaves[:split], earlier, is_known=is_known)
        return [*kept, tree_root(leaves[split:])]
    kept = _subproof(leaves[split:], earlier - split, is_known=False)
    return [*kept, tree_root(leaves[:split])]


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a proof shows that a tree has this leaf there (§2.1.3.2)."""
    steps = _steps(index, size - 1, proof) if 0 <= index < size else None
    if steps is None:
        return False
    found = leaf
    for step, is_left in steps:
        found = node_hash(step, found) if is_left else node_hash(found, step)
    return found == root


def is_consistent(
    earlier: int, earlier_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether a proof shows that a tree continues a former one (§2.1.4.2)."""
    if earlier == size:
        return not proof and earlier_root == root
    if not 0 < earlier < size or not proof:
        return False
    # A former tree that is a full subtree is in the proof by its root alone.
    first, *rest = proof if earlier & (earlier - 1) else [earlier_root, *proof]
    shared = _trailing_ones(earlier - 1)
    steps = _steps(earlier - 1 >> shared, size - 1 >> shared, rest)
    if steps is None:
        return False
    former = found = first
    for step, is_left in steps:
        former = node_hash(step, former) if is_left else former
        found = node_hash(step, found) if is_left else node_hash(found, step)
    return former == earlier_root and found == root


def _steps(place: int, last: int, proof: Sequence[bytes]) -> list[tuple[bytes, bool]] | None:
    """Each hash of a proof, and whether it stands to the left of what is known so far.

    Args:
        place: Of what is known, among the nodes of its level.
        last: Of the last node there.
        proof: From there to the root.

    Returns:
        None if the proof is too short or too long.
    """
    steps = []
    for step in proof:
        if last == 0:
            return None
        is_left = bool(place & 1) or place == last
        # The last node of a level has no neighbour where it is not the right one of a pair.
        while is_left and place and not place & 1:
            place, last = place >> 1, last >> 1
        steps.append((step, is_left))
        place, last = place >> 1, last >> 1
    return steps if last == 0 else None


def _trailing_ones(number: int) -> int:
    return (~number & number + 1).bit_length() - 1


def _split(size: int) -> int:
    """The largest power of two below ``size``."""
    return 1 << (size - 1).bit_length() - 1
