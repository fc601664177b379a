"""Exact path-dependent SHAP values of a sum of trees, as table lookups.

Method: Lundberg et al. 2020, "From local explanations to global understanding with explainable AI for trees", Nature Machine Intelligence
2, algorithm 2 (the value of a feature set S is the expectation of the tree when features outside S follow the training rows at each split).
For one leaf with value v, path features i, indicators o_i (the row satisfies every split on i) and cover ratios z_i the game is
v(S) = v x prod_{i in S} o_i x prod_{i not in S} z_i, so the leaf's SHAP vector depends on the row only through the pattern of its
decisions.
A tree is cut into groups, subtrees with the path above them, of at most GROUP_BITS decisions. For every pattern of a group's decisions the
exact vector is computed once; a row then evaluates its decisions, forms an index and adds one line of the table, in single precision.
The sum of contributions plus the base value is the score, so there is no separate pass to predict. Leaves deeper than GROUP_BITS
decisions are computed row by row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nba.learning.tree_shap_kernels import explain_long_leaves, explain_rows, fill_group
from nba.learning.trees import Trees

GROUP_BITS = 9


@dataclass(frozen=True)
class Leaf:
    """One leaf: the nodes above it, which side it lies on (1 = left), its features in order of first appearance and their cover ratios."""

    value: float
    nodes: tuple[int, ...]
    signs: tuple[int, ...]
    features: tuple[int, ...]
    slots: tuple[int, ...]
    shares: tuple[float, ...]


def leaves_below(trees: Trees, node: int, nodes: tuple[int, ...], signs: tuple[int, ...]) -> list[Leaf]:
    """All leaves of the subtree at node, which is reached through nodes and signs."""
    if trees.feature[node] >= 0:
        path = (*nodes, node)
        return leaves_below(trees, int(trees.left[node]), path, (*signs, 1)) + leaves_below(
            trees, int(trees.right[node]), path, (*signs, 0)
        )
    features: list[int] = []
    shares: list[float] = []
    slots: list[int] = []
    for position, above in enumerate(nodes):
        below = nodes[position + 1] if position + 1 < len(nodes) else node
        ratio = float(trees.cover[below]) / max(float(trees.cover[above]), 1.0)
        name = int(trees.feature[above])
        if name not in features:
            features.append(name)
            shares.append(1.0)
        slots.append(features.index(name))
        shares[slots[-1]] *= ratio
    return [Leaf(float(trees.value[node]), nodes, signs, tuple(features), tuple(slots), tuple(shares))]


def inner_nodes(trees: Trees, node: int) -> list[int]:
    """The split nodes of the subtree at node, parents first."""
    if trees.feature[node] < 0:
        return []
    return [node, *inner_nodes(trees, int(trees.left[node])), *inner_nodes(trees, int(trees.right[node]))]


def cut(trees: Trees, node: int, nodes: tuple[int, ...], signs: tuple[int, ...], bits: int) -> tuple[list[list[Leaf]], list[Leaf]]:
    """Cut the subtree at node into groups of leaves that need at most bits decisions, and the leaves that need more."""
    if len(nodes) + len(inner_nodes(trees, node)) <= bits:
        return [leaves_below(trees, node, nodes, signs)], []
    if trees.feature[node] < 0:
        return [], leaves_below(trees, node, nodes, signs)
    path = (*nodes, node)
    left = cut(trees, int(trees.left[node]), path, (*signs, 1), bits)
    right = cut(trees, int(trees.right[node]), path, (*signs, 0), bits)
    return left[0] + right[0], left[1] + right[1]


@dataclass(frozen=True)
class Explainer:
    """Trees with the tables of all their groups: build once, explain many batches.

    base: expectation of the score under the cover of the trees. tables: float32, every group's table column by column, one after the other.
    """

    trees: Trees
    base: float
    tree_nodes: np.ndarray
    tree_groups: np.ndarray
    node_ids: np.ndarray
    group_bits: np.ndarray
    group_decisions: np.ndarray
    group_columns: np.ndarray
    group_features: np.ndarray
    table_start: np.ndarray
    tables: np.ndarray
    long_leaves: tuple[Leaf, ...]

    @classmethod
    def build(cls, trees: Trees, bits: int = GROUP_BITS) -> Explainer:
        """Cut every tree into groups of at most `bits` decisions and fill their tables."""
        node_ids: list[int] = []
        tree_nodes, tree_groups, groups, long_leaves = [0], [0], [], []
        base = trees.baseline
        for root in trees.roots:
            own = inner_nodes(trees, int(root))
            position = {node: place for place, node in enumerate(own)}
            short, long = cut(trees, int(root), (), (), bits)
            for leaf in [leaf for group in short for leaf in group] + long:
                base += leaf.value * float(np.prod(leaf.shares))
            groups += [_Group.of(group, position) for group in short if any(leaf.nodes for leaf in group)]
            long_leaves += long
            node_ids += own
            tree_nodes.append(len(node_ids))
            tree_groups.append(len(groups))
        widest = max((len(group.features) for group in groups), default=1)
        deepest = max((len(group.decisions) for group in groups), default=1)
        decisions = np.zeros((len(groups), deepest), np.int64)
        features = np.zeros((len(groups), widest), np.int64)
        for number, group in enumerate(groups):
            decisions[number, : len(group.decisions)] = group.decisions
            features[number, : len(group.features)] = group.features
        tables = [group.table() for group in groups]
        start = np.cumsum([0, *(table.size for table in tables)])[:-1].astype(np.int64)
        return cls(
            trees,
            base,
            np.array(tree_nodes, np.int64),
            np.array(tree_groups, np.int64),
            np.array(node_ids, np.int64),
            np.array([len(group.decisions) for group in groups], np.int64),
            decisions,
            np.array([len(group.features) for group in groups], np.int64),
            features,
            start,
            np.concatenate([table.T.ravel() for table in tables]).astype(np.float32) if tables else np.zeros(0, np.float32),
            tuple(long_leaves),
        )

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """float64 (rows, features), stored feature by feature: base + the sum of a row = its score, to about 1e-6 log-odds.

        matrix: float32 as the encoder writes it, NaN = missing. Raises ValueError for another number of columns than the trees know.
        """
        trees = self.trees
        if matrix.ndim != 2 or matrix.shape[1] != trees.features:
            raise ValueError(f"matrix of shape {matrix.shape} given, the trees know {trees.features} features")
        columns = np.ascontiguousarray(matrix.T, dtype=np.float32)
        out = np.zeros(columns.shape)
        splits = (_single(trees.threshold), trees.missing_left, trees.bitset, trees.left_bits, trees.known_bits)
        explain_rows(
            columns,
            trees.feature,
            *splits,
            self.tree_nodes,
            self.tree_groups,
            self.node_ids,
            self.group_bits,
            self.group_decisions,
            self.group_columns,
            self.group_features,
            self.table_start,
            self.tables,
            out,
        )
        if self.long_leaves:
            explain_long_leaves(columns, *splits, *_long_arrays(self.long_leaves), out)
        return out.T


@dataclass(frozen=True)
class _Group:
    """Leaves that share one table: decisions (positions in the tree's list of split nodes) by bit, features by column."""

    leaves: tuple[Leaf, ...]
    decisions: tuple[int, ...]
    bit_of: dict[int, int]
    features: tuple[int, ...]

    @classmethod
    def of(cls, leaves: list[Leaf], position: dict[int, int]) -> _Group:
        """The group of these leaves; position: place of a split node in its tree's list."""
        nodes = list(dict.fromkeys(node for leaf in leaves for node in leaf.nodes))
        features = tuple(dict.fromkeys(feature for leaf in leaves for feature in leaf.features))
        return cls(tuple(leaves), tuple(position[node] for node in nodes), {node: bit for bit, node in enumerate(nodes)}, features)

    def table(self) -> np.ndarray:
        """float64 (2^decisions, features): the exact SHAP vectors, summed over the leaves, for each pattern of decisions."""
        depth = max(len(leaf.nodes) for leaf in self.leaves)
        shape = (len(self.leaves), max(depth, 1))
        bits, signs, shares = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.ones(shape)
        slots, columns = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for number, leaf in enumerate(self.leaves):
            bits[number, : len(leaf.nodes)] = [self.bit_of[node] for node in leaf.nodes]
            signs[number, : len(leaf.nodes)] = leaf.signs
            slots[number, : len(leaf.nodes)] = leaf.slots
            shares[number, : len(leaf.features)] = leaf.shares
            columns[number, : len(leaf.features)] = [self.features.index(feature) for feature in leaf.features]
        depths = np.array([len(leaf.nodes) for leaf in self.leaves], np.int64)
        widths = np.array([len(leaf.features) for leaf in self.leaves], np.int64)
        values = np.array([leaf.value for leaf in self.leaves])
        table = np.zeros((1 << len(self.decisions), len(self.features)))
        fill_group(len(self.decisions), values, bits, signs, slots, columns, shares, depths, widths, table)
        return table


def _single(threshold: np.ndarray) -> np.ndarray:
    """The largest float32 not above each threshold: for values of float32 `x <= threshold` has the same answer, at half the width."""
    with np.errstate(over="ignore"):
        rounded = threshold.astype(np.float32)
    return np.where(rounded > threshold, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _long_arrays(leaves: tuple[Leaf, ...]) -> tuple[np.ndarray, ...]:
    """nodes, signs, slots, depths, features, widths, shares, values of the leaves as rectangular arrays."""
    shape = (len(leaves), max(len(leaf.nodes) for leaf in leaves))
    nodes, signs, slots, features = (np.zeros(shape, np.int64) for _ in range(4))
    shares = np.ones(shape)
    for number, leaf in enumerate(leaves):
        nodes[number, : len(leaf.nodes)] = leaf.nodes
        signs[number, : len(leaf.nodes)] = leaf.signs
        slots[number, : len(leaf.nodes)] = leaf.slots
        features[number, : len(leaf.features)] = leaf.features
        shares[number, : len(leaf.features)] = leaf.shares
    depths = np.array([len(leaf.nodes) for leaf in leaves], np.int64)
    widths = np.array([len(leaf.features) for leaf in leaves], np.int64)
    return nodes, signs, slots, depths, features, widths, shares, np.array([leaf.value for leaf in leaves])


def explain(trees: Trees, matrix: np.ndarray) -> tuple[np.ndarray, float]:
    """SHAP values of every row: contributions (rows, features) in log-odds and the base value; their sum is the raw score."""
    explainer = Explainer.build(trees)
    return explainer.contributions(matrix), explainer.base
