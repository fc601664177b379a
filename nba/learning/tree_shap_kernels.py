"""Machine-code kernels of the SHAP values: the vector of one leaf, the table of one group of leaves, the pass over rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

BLOCK = 2048  # rows: their sums and one tree's tables fit the second-level cache
TREES_AT_ONCE = 16
TIE = 1e-6  # log-odds: contributions closer than this are equal, whatever the last digits of a sum say


def _compiled(function: Callable[..., Any]) -> Any:
    """Compile, keeping the machine code beside the source or in the user's cache; without a writable place only in memory."""
    try:
        return njit(cache=True)(function)
    except RuntimeError:  # numba: "no locator available", for a package in a read-only place
        return njit(function)


@_compiled
def leaf_shap(value, satisfied, share, count, weights, out):  # type: ignore[no-untyped-def]
    """SHAP vector of one leaf: out[i] = value (o_i - z_i) sum over S without i of |S|! (d-1-|S|)! / d! prod_S o prod_rest z.

    satisfied (d,): o as 0 or 1; share (d,): z in (0, 1]; weights (d,): |S|! (d-1-|S|)! / d! by |S|. Stable: no division.
    """
    products = np.empty(count)
    for i in range(count):
        products[0] = 1.0
        size = 1
        for j in range(count):
            if j == i:
                continue
            products[size] = 0.0
            for k in range(size, 0, -1):
                products[k] = products[k] * share[j] + products[k - 1] * satisfied[j]
            products[0] *= share[j]
            size += 1
        total = 0.0
        for k in range(count):
            total += products[k] * weights[k]
        out[i] = value * (satisfied[i] - share[i]) * total


@_compiled
def size_weights(count):  # type: ignore[no-untyped-def]
    """|S|! (count-1-|S|)! / count! for |S| = 0..count-1."""
    out = np.empty(max(count, 1))
    out[0] = 1.0 / max(count, 1)
    for size in range(1, count):
        out[size] = out[size - 1] * size / (count - size)
    return out


@_compiled
def fill_group(bits, values, paths, signs, slots, columns, shares, depths, widths, table):  # type: ignore[no-untyped-def]
    """Fill table (2^bits, features of the group): the sum over the group's leaves of their SHAP vectors, for each pattern of decisions.

    Per leaf and step of its path: paths (bit of the decision), signs (1 = the leaf lies left), slots (which of the leaf's features the
    decision is about). Per leaf and slot: columns (of the table), shares (cover ratio). depths: steps; widths: distinct features.
    """
    for leaf in range(len(values)):
        width = widths[leaf]
        weights = size_weights(width)
        satisfied = np.empty(width + 1)
        vector = np.empty(width + 1)
        known = np.zeros((1 << width, width + 1))
        is_known = np.zeros(1 << width, np.uint8)
        for pattern in range(1 << bits):
            mask = (1 << width) - 1
            for step in range(depths[leaf]):
                if ((pattern >> paths[leaf, step]) & 1) != signs[leaf, step]:
                    mask &= ~(1 << slots[leaf, step])
            if is_known[mask] == 0:
                for slot in range(width):
                    satisfied[slot] = (mask >> slot) & 1
                leaf_shap(values[leaf], satisfied, shares[leaf], width, weights, vector)
                known[mask, :width] = vector[:width]
                is_known[mask] = 1
            for slot in range(width):
                table[pattern, columns[leaf, slot]] += known[mask, slot]


@_compiled
def known_left(code, row, left_bits):  # type: ignore[no-untyped-def]
    """Whether a category code goes left at a categorical split."""
    return (left_bits[row, code >> 5] >> np.uint32(code & 31)) & np.uint32(1)


@_compiled
def decide(values, node, column, threshold, missing_left, bitset, left_bits, known_bits, out):  # type: ignore[no-untyped-def]
    """Decisions of one node for a run of values (1 = left), as scikit-learn takes them: NaN and unknown categories go where missing
    goes."""
    row = bitset[node]
    limit = threshold[node]
    if row < 0 and missing_left[node]:
        for i in range(len(values)):
            out[i] = not (values[i] > limit)
    elif row < 0:
        for i in range(len(values)):
            out[i] = values[i] <= limit
    else:
        for i in range(len(values)):
            x = values[i]
            out[i] = missing_left[node]
            if x >= 0.0 and x < 256.0:
                code = int(x)
                if known_left(code, row, left_bits):
                    out[i] = 1
                elif known_left(code, column, known_bits):
                    out[i] = 0


@_compiled
def explain_rows(  # type: ignore[no-untyped-def]
    columns, feature, threshold, missing_left, bitset, left_bits, known_bits,
    tree_nodes, tree_groups, node_ids, group_bits, group_decisions, group_columns, group_features, table_start, table, out,
):  # fmt: skip
    """Add to out (features, rows) what every tree's tables say. columns: float32 (features, rows).

    Blocks of rows pass through one tree at a time, so that its tables stay in the cache; inside, one node and one column of a table at a
    time over the rows, so that comparisons and look-ups run on several rows per instruction. Sums of a few trees are kept in single
    precision and then added to `out`: rounding does not grow with the number of trees.
    """
    features, rows = columns.shape
    trees = len(tree_nodes) - 1
    widest = 1
    for tree in range(trees):
        widest = max(widest, tree_nodes[tree + 1] - tree_nodes[tree])
    decisions = np.empty((widest, BLOCK), np.uint8)
    index = np.empty(BLOCK, np.uint32)
    sums = np.zeros((features, BLOCK), np.float32)
    for first in range(0, rows, BLOCK):
        size = min(rows - first, BLOCK)
        for tree in range(trees):
            start = tree_nodes[tree]
            for position in range(tree_nodes[tree + 1] - start):
                node = node_ids[start + position]
                column = feature[node]
                values = columns[column, first : first + size]
                decide(values, node, column, threshold, missing_left, bitset, left_bits, known_bits, decisions[position, :size])
            for group in range(tree_groups[tree], tree_groups[tree + 1]):
                here = index[:size]
                here[:] = 0
                for bit in range(group_bits[group]):
                    taken = decisions[group_decisions[group, bit], :size]
                    shift = np.uint32(bit)
                    for row in range(size):
                        here[row] |= np.uint32(taken[row]) << shift
                patterns = 1 << group_bits[group]
                for place in range(group_columns[group]):
                    line = table_start[group] + place * patterns
                    look_up(table[line : line + patterns], here, sums[group_features[group, place], :size])
            if (tree + 1) % TREES_AT_ONCE == 0 or tree + 1 == trees:
                for column in range(features):
                    for row in range(size):
                        out[column, first + row] += sums[column, row]
                        sums[column, row] = 0.0


@_compiled
def look_up(values, index, sums):  # type: ignore[no-untyped-def]
    """sums += values[index]: a function of its own, so that nothing can overlap and the look-ups run several at once."""
    for row in range(len(index)):
        sums[row] += values[index[row]]


@_compiled
def largest(contributions, count, places, values):  # type: ignore[no-untyped-def]
    """Per row of contributions (features, rows) the `count` largest by absolute value: places (rows, count), -1 where fewer are not 0,
    and their values (rows, count). What differs by less than TIE is equal, and of equals the earlier feature comes first."""
    features, rows = contributions.shape
    size = np.empty((features, BLOCK), np.int64)
    for first in range(0, rows, BLOCK):
        block = min(rows - first, BLOCK)
        for column in range(features):
            for row in range(block):
                size[column, row] = np.int64(abs(contributions[column, first + row]) / TIE + 0.5)
        for row in range(block):
            for place in range(count):
                best, at = np.int64(0), -1
                for column in range(features):
                    if size[column, row] > best:
                        best, at = size[column, row], column
                places[first + row, place] = at
                if at >= 0:
                    values[first + row, place] = contributions[at, first + row]
                    size[at, row] = 0


@_compiled
def explain_long_leaves(  # type: ignore[no-untyped-def]
    columns, threshold, missing_left, bitset, left_bits, known_bits, nodes, signs, slots, depths, features, widths, shares, values, out,
):  # fmt: skip
    """Add to out (features, rows) the SHAP vectors of leaves too deep for a table, row by row."""
    satisfied = np.empty(nodes.shape[1] + 1)
    vector = np.empty(nodes.shape[1] + 1)
    taken = np.empty(1, np.uint8)
    for leaf in range(len(values)):
        width = widths[leaf]
        weights = size_weights(width)
        for row in range(columns.shape[1]):
            for slot in range(width):
                satisfied[slot] = 1.0
            for step in range(depths[leaf]):
                column = features[leaf, slots[leaf, step]]
                decide(
                    columns[column, row : row + 1], nodes[leaf, step], column,
                    threshold, missing_left, bitset, left_bits, known_bits, taken,
                )  # fmt: skip
                if taken[0] != signs[leaf, step]:
                    satisfied[slots[leaf, step]] = 0.0
            leaf_shap(values[leaf], satisfied, shares[leaf], width, weights, vector)
            for slot in range(width):
                out[features[leaf, slot], row] += vector[slot]
