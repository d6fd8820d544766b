"""Models of efficiency written down as in their papers, one linear programme a unit in the data's own units.

An independent hand: nothing of the package is used, so that a model built wrongly there is found here. Meant for data
of ordinary size, since nothing is scaled. Columns are z (r), then slacks sx, sy, sb, then what the model adds.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog


class Textbook:
    """Constraints of one unit, collected row by row; ``solve`` minimises."""

    def __init__(self, x, y, b, ref_x, ref_y, ref_b) -> None:
        self.x, self.y, self.b = x, y, b
        self.ref = (ref_x, ref_y, ref_b)
        self.r, self.m, self.s, self.q = len(ref_x), len(x), len(y), len(b)
        self.slack = self.r + np.arange(self.m + self.s + self.q)
        self.width = self.r + self.m + self.s + self.q + 2
        self.last, self.free = self.width - 2, self.width - 1
        self.rows, self.right = [], []
        self.bounds = [(0, None)] * (self.width - 1) + [(None, None)]

    def row(self, **_: object) -> np.ndarray:
        return np.zeros(self.width)

    def equate(self, row: np.ndarray, right: float) -> None:
        self.rows.append(row)
        self.right.append(right)

    def technology(self, sign: float = 1.0, move=None, homogeneous: bool = False) -> None:
        """Xz + sx = x, Yz - sy = y, Bz + sb = b (sign -1: slacks the other way), moved by free * move, or times t."""
        values = np.concatenate([self.x, self.y, self.b])
        data = np.hstack(self.ref)
        move = np.zeros(len(values)) if move is None else move
        for i, value in enumerate(values):
            is_good = self.m <= i < self.m + self.s
            row = self.row()
            row[: self.r] = data[:, i]
            row[self.slack[i]] = -sign if is_good else sign
            row[self.free] = -move[i] if is_good else move[i]
            if homogeneous:
                row[self.last] = -value
            self.equate(row, 0.0 if homogeneous else value)

    def returns(self, kind: str, homogeneous: bool = False) -> None:
        if kind == "crs":
            return
        row = self.row()
        row[: self.r] = 1.0
        if homogeneous:
            row[self.last] = -1.0
        self.equate(row, 0.0 if homogeneous else 1.0)

    def forbid(self, columns) -> None:
        for column in np.atleast_1d(columns):
            self.bounds[int(column)] = (0, 0)

    def solve(self, cost: np.ndarray) -> float:
        found = linprog(cost, A_eq=np.array(self.rows), b_eq=np.array(self.right), bounds=self.bounds, method="highs")
        if found.status == 2:
            return np.nan
        assert found.status == 0, found.message
        return float(found.fun)

    def cost(self, slacks: np.ndarray) -> np.ndarray:
        cost = np.zeros(self.width)
        cost[self.slack] = slacks
        return cost


def radial(book: Textbook, orientation: str, returns: str, weak: bool) -> float:
    """CCR and BCC: theta or phi."""
    values = np.concatenate([book.x, book.y, book.b])
    place = {"input": slice(0, book.m), "output": slice(book.m, book.m + book.s), "bad": slice(book.m + book.s, None)}
    move = np.zeros(len(values))
    move[place[orientation]] = values[place[orientation]]
    beta = distance(book, move, returns, weak)
    return 1 + beta if orientation == "output" else 1 - beta


def distance(book: Textbook, move: np.ndarray, returns: str, weak: bool) -> float:
    """Largest beta along ``move``, free in sign."""
    book.technology(move=move)
    book.returns(returns)
    book.forbid(book.last)
    if weak:
        book.forbid(book.slack[book.m + book.s :])
    cost = np.zeros(book.width)
    cost[book.free] = -1.0
    return -book.solve(cost)


def slacks(book: Textbook, weights: np.ndarray, returns: str, weak_rest: bool = False) -> float:
    """Largest weighted sum of slacks; under weak disposability a bad without weight keeps no slack."""
    book.technology()
    book.returns(returns)
    book.forbid([book.last, book.free])
    if weak_rest:
        bads = book.slack[book.m + book.s :]
        book.forbid(bads[weights[book.m + book.s :] == 0])
    return -book.solve(book.cost(-weights))


def sbm(book: Textbook, orientation: str, returns: str) -> float:
    """Tone 2001 and 2003."""
    inputs = 1 / (book.m * book.x)
    outputs = 1 / (np.concatenate([book.y, book.b]) * (book.s + book.q))
    if orientation == "input":
        return 1 - slacks(book, np.concatenate([inputs, 0 * outputs]), returns)
    if orientation == "output":
        return 1 / (1 + slacks(book, np.concatenate([0 * inputs, outputs]), returns))
    if orientation == "bad":
        bads = np.concatenate([0 * book.y, 1 / (book.q * book.b)])
        return 1 / (1 + slacks(book, np.concatenate([0 * inputs, bads]), returns))
    book.technology(homogeneous=True)
    book.returns(returns, homogeneous=True)
    book.forbid(book.free)
    row = book.row()
    row[book.slack[book.m :]] = outputs
    row[book.last] = 1.0
    book.equate(row, 1.0)
    cost = book.cost(np.concatenate([-inputs, 0 * outputs]))
    cost[book.last] = 1.0
    return book.solve(cost)


def super_sbm(book: Textbook, returns: str) -> float:
    """Non-oriented super-efficiency (Tone 2002): the unit is not in the reference of ``book``.

    Written with targets instead of slacks: xbar >= Xz, xbar >= x, ybar <= Yz, ybar <= y, bbar >= Bz, bbar >= b, all
    times t, minimise mean xbar/x with [sum ybar/y + sum (2 - bbar/b)] / (s + q) = 1; for q = 0 the paper's own form.
    """
    n_targets = book.m + book.s + book.q
    r = book.r
    width = r + n_targets + 1
    t = width - 1
    values = np.concatenate([book.x, book.y, book.b])
    data = np.hstack(book.ref)
    upper, right = [], []
    for i, value in enumerate(values):
        way = -1.0 if book.m <= i < book.m + book.s else 1.0
        technology, own = np.zeros(width), np.zeros(width)
        technology[:r], technology[r + i] = way * data[:, i], -way
        own[t], own[r + i] = way * value, -way
        upper += [technology, own]
        right += [0.0, 0.0]
    balance = np.zeros(width)
    share = 1 / (book.s + book.q)
    balance[r + book.m : r + book.m + book.s] = share / book.y
    balance[r + book.m + book.s : t] = -share / book.b
    balance[t] = 2 * book.q * share
    equal, equal_right = [balance], [1.0]
    if returns == "vrs":
        row = np.zeros(width)
        row[:r], row[t] = 1.0, -1.0
        equal.append(row)
        equal_right.append(0.0)
    cost = np.zeros(width)
    cost[r : r + book.m] = 1 / (book.m * book.x)
    found = linprog(cost, A_ub=upper, b_ub=right, A_eq=equal, b_eq=equal_right, bounds=(0, None), method="highs")
    return np.nan if found.status == 2 else float(found.fun)


def kuosmanen(book: Textbook, move: np.ndarray) -> float:
    """Directional distance under VRS with one abatement factor a unit: (z + u) x <= x, z y >= y, z b = b."""
    r, values, data = book.r, np.concatenate([book.x, book.y, book.b]), np.hstack(book.ref)
    width = 2 * r + 1
    upper, right, equal, equal_right = [], [], [], []
    for i, value in enumerate(values):
        row = np.zeros(width)
        row[:r] = data[:, i]
        if i < book.m:
            row[r : 2 * r], row[-1] = data[:, i], move[i]
            upper.append(row)
            right.append(value)
        elif i < book.m + book.s:
            row[-1] = -move[i]
            upper.append(-row)
            right.append(-value)
        else:
            row[-1] = move[i]
            equal.append(row)
            equal_right.append(value)
    row = np.ones(width)
    row[-1] = 0.0
    equal.append(row)
    equal_right.append(1.0)
    cost = np.zeros(width)
    cost[-1] = -1.0
    bounds = [(0, None)] * (2 * r) + [(None, None)]
    found = linprog(cost, A_ub=upper, b_ub=right, A_eq=equal, b_eq=equal_right, bounds=bounds, method="highs")
    assert found.status == 0
    return -float(found.fun)
