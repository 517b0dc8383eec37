"""Predictions of boosters of small trees, column by column: LightGBM's numbers, sooner.

LightGBM walks every tree for every row, which takes it eight times as long. Here all splits of a
tree are asked about many rows at a time, the answers are put together as bits of one small number,
and that number finds the leaf in a table. Leaves are added up tree by tree as LightGBM does, in 64
bits, so that sums are the same to the last bit. The table doubles with every split: only trees of
few leaves are taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from models.boosters import loaded_booster
from models.matrix import Matrix, Vector

MOST_LEAVES = 8  # seven splits, whose answers fit into a byte with one to spare
ROWS = 16_384  # at a time: what is worked on stays in the cache
NOTHING = float(np.float32(1e-35))  # LightGBM takes what is not beyond it for 0

Node = Mapping[str, Any]  # of a tree, as LightGBM dumps it


@dataclass(frozen=True)
class _Split:
    """One question about a feature.

    Attributes:
        feature: Its place.
        threshold: The largest 32-bit number on the left.
        is_right_asked: The answer is whether a value is above the threshold, not whether it is at
            most that: to both an unknown value says no, and so goes where LightGBM sends it.
    """

    feature: int
    threshold: np.float32
    is_right_asked: bool


@dataclass(frozen=True)
class _Tree:
    """Splits, and the leaf's value for each combination of answers."""

    splits: tuple[_Split, ...]
    values: Vector


@dataclass(frozen=True)
class ShallowTrees:
    """A booster of small trees."""

    trees: tuple[_Tree, ...]

    def log_odds(self, matrix: Matrix) -> Vector:
        """What ``Booster.predict(matrix, raw_score=True)`` says, to the last bit."""
        found = np.zeros(len(matrix))
        for start in range(0, len(matrix), ROWS):
            some = slice(start, start + ROWS)
            self._add(_by_column(matrix[some]), found[some])
        return found

    def _add(self, columns: Matrix, sums: Vector) -> None:
        answers, answer = np.zeros((2, len(sums)), dtype=np.uint8)
        value = np.empty(len(sums))
        for tree in self.trees:
            for place, split in enumerate(tree.splits):
                asked = np.greater if split.is_right_asked else np.less_equal
                into = answer if place else answers
                asked(columns[:, split.feature], split.threshold, out=into.view(np.bool_))
                if place:
                    np.left_shift(answer, place, out=answer)
                    np.bitwise_or(answers, answer, out=answers)
            # Without a split there is one leaf, where every answer leads.
            tree.values.take(answers, out=value, mode="clip")
            sums += value


def _by_column(rows: Matrix) -> Matrix:
    """Each column in one piece; no copy where they are."""
    return rows if rows.strides[0] == rows.itemsize else np.asfortranarray(rows)


@lru_cache(maxsize=128)
def shallow_trees(model_text: str) -> ShallowTrees | None:
    """A booster's trees, read once per process; None if some are too large, or of another kind."""
    booster = loaded_booster(model_text).dump_model()
    if booster["num_tree_per_iteration"] != 1 or booster["average_output"]:
        return None
    if not all(map(_is_taken, booster["tree_info"])):
        return None
    return ShallowTrees(tuple(_tree(tree["tree_structure"]) for tree in booster["tree_info"]))


def _is_taken(tree: Node) -> bool:
    if tree["num_leaves"] > MOST_LEAVES or tree["num_cat"]:
        return False
    nodes = list(_nodes(tree["tree_structure"]))
    return not any("leaf_coeff" in node or node.get("missing_type") == "Zero" for node in nodes)


def _nodes(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    if "split_index" in node:
        yield from _nodes(node["left_child"])
        yield from _nodes(node["right_child"])


def _tree(root: Node) -> _Tree:
    inner = [node for node in _nodes(root) if "split_index" in node]
    inner.sort(key=lambda node: node["split_index"])
    splits = tuple(map(_split, inner))
    values = [_value(root, splits, answers) for answers in range(2 ** len(splits))]
    return _Tree(splits, np.array(values))


def _split(node: Node) -> _Split:
    # Where unknown values were not seen in training, LightGBM takes them for 0.
    is_known = node["missing_type"] == "NaN"
    unknown_is_left = node["default_left"] if is_known else node["threshold"] >= 0
    return _Split(node["split_feature"], _at_most(node["threshold"]), unknown_is_left)


def _at_most(threshold: float) -> np.float32:
    """The largest 32-bit number that LightGBM sends to the left."""
    if abs(threshold) < NOTHING:
        threshold = NOTHING if threshold >= 0 else np.nextafter(-NOTHING, -np.inf)
    with np.errstate(over="ignore"):  # beyond all 32-bit numbers: only infinity is on the right
        near = np.float32(threshold)
    # Compared in 64 bits: in 32 the two would always be equal.
    return np.nextafter(near, np.float32(-np.inf)) if float(near) > threshold else near


def _value(node: Node, splits: tuple[_Split, ...], answers: int) -> float:
    """Of the leaf that these answers lead to."""
    while "split_index" in node:
        place = node["split_index"]
        is_right = bool(answers >> place & 1) == splits[place].is_right_asked
        node = node["right_child" if is_right else "left_child"]
    return float(node["leaf_value"])
