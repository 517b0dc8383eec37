"""The tree of RFC 9162: published roots, every proof of small trees, and none that is not one."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from audit.merkle import (
    BLOCK,
    EMPTY,
    EMPTY_ROOT,
    Frontier,
    GrownTree,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    tree_root,
)

# The entries and roots that implementations of certificate transparency test themselves with.
ENTRIES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
           "606162636465666768696a6b6c6d6e6f")  # fmt: skip
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
MOST = 72
LEAVES = [leaf_hash(number.to_bytes(2, "big")) for number in range(MOST)]
OF_SIZE = [tree_root(LEAVES[:size]) for size in range(MOST + 1)]
OTHER = leaf_hash(b"another")


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_roots_are_those_that_others_have_published(size: int) -> None:
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES[:size]]
    assert tree_root(leaves).hex() == EMPTY.with_leaves(leaves).root().hex() == ROOTS[size]


@given(st.lists(st.integers(0, 40), max_size=8))
def test_a_tree_is_the_same_however_it_grew(steps: list[int]) -> None:
    frontier, size = EMPTY, 0
    for step in steps:
        frontier = frontier.with_leaves(LEAVES[size : size + step])
        size = min(size + step, MOST)
        assert (frontier.size, frontier.root()) == (size, OF_SIZE[size])
        assert Frontier.from_text(frontier.as_text()) == frontier


@pytest.mark.parametrize("first", [0, 1, BLOCK - 1, BLOCK, BLOCK + 3])
def test_large_trees_are_put_together_in_blocks(first: int) -> None:
    leaves = [number.to_bytes(32, "big") for number in range(2 * BLOCK + 5)]
    grown = EMPTY.with_leaves(leaves[:first]).with_leaves(iter(leaves[first:]))
    assert grown.root() == tree_root(leaves)


def test_a_text_that_is_no_tree_is_refused() -> None:
    assert EMPTY.root() == EMPTY_ROOT
    with pytest.raises(ValueError, match="a tree of 3 leaves has not 1 peaks"):
        Frontier.from_text(f"3 {OTHER.hex()}")


def spoilt(proof: list[bytes]) -> list[list[bytes]]:
    """A bit flipped, a hash dropped, added, doubled or two of them swapped."""
    found = [[*proof, OTHER], [OTHER, *proof]]
    for place, step in enumerate(proof):
        flipped = bytes([step[0] ^ 1]) + step[1:]
        found += [
            [*proof[:place], flipped, *proof[place + 1 :]],
            [*proof[:place], *proof[place + 1 :]],
            [*proof[: place + 1], *proof[place:]],
        ]
    if len(proof) > 1:
        found.append([proof[1], proof[0], *proof[2:]])
    return found


@pytest.mark.parametrize("size", range(1, MOST + 1))
def test_every_leaf_is_proven_and_nothing_else(size: int) -> None:
    root = OF_SIZE[size]
    for index in range(size):
        leaf, proof = LEAVES[index], inclusion_proof(LEAVES[:size], index)
        assert is_included(leaf, index, size, proof, root)
        assert not any(is_included(leaf, index, size, other, root) for other in spoilt(proof))
        assert not is_included(OTHER, index, size, proof, root)
        assert not is_included(leaf, index, size, proof, OTHER)
        others = [other for other in (index - 1, index + 1, size, -1) if other != index]
        assert not any(is_included(leaf, other, size, proof, root) for other in others)


@pytest.mark.parametrize("size", range(1, MOST + 1))
def test_every_former_tree_is_proven_and_nothing_else(size: int) -> None:
    root = OF_SIZE[size]
    for earlier in range(1, size + 1):
        former, proof = OF_SIZE[earlier], consistency_proof(LEAVES[:size], earlier)
        assert is_consistent(earlier, former, size, root, proof)
        assert not any(is_consistent(earlier, former, size, root, p) for p in spoilt(proof))
        assert not is_consistent(earlier, OTHER, size, root, proof)
        assert not is_consistent(earlier, former, size, OTHER, proof)
        assert not is_consistent(earlier - 1, former, size, root, proof)
        assert not is_consistent(size + 1, former, size, root, proof)


def test_no_proof_of_what_there_is_not() -> None:
    with pytest.raises(IndexError, match="no leaf 3 in a tree of 3"):
        inclusion_proof(LEAVES[:3], 3)
    for earlier in (0, 4):
        with pytest.raises(IndexError, match="continues none of"):
            consistency_proof(LEAVES[:3], earlier)


def test_a_tree_of_which_a_part_is_known_by_its_peaks_gives_the_same_proofs():
    for size in range(1, 40):
        for earlier in range(size):
            tree = GrownTree(EMPTY.with_leaves(LEAVES[:earlier]), LEAVES[earlier:size])
            for index in range(earlier, size):
                assert tree.inclusion_proof(index) == inclusion_proof(LEAVES[:size], index)
            for index in (earlier - 1, size):
                with pytest.raises(IndexError):
                    tree.inclusion_proof(index)
