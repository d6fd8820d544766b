"""Models as linear programmes, one a unit, all of one shape.

Every model becomes: minimise c'v subject to A z + H v = d, z >= 0, v >= 0, where column j of A is reference unit j with
each data row divided by the evaluated unit's own value (the unit itself is a column of ones), followed by the rows that
the model adds (sum of intensities, normalisation), in which all reference units have the same coefficient. v holds
slacks and whatever else the model has. So the size of a programme does not depend on units of measurement.

The auxiliary columns v stand in the order: slack of each of the k data rows; then, where the model has them, ``rise``
and ``fall`` (a free distance beta split in two), ``scale`` (t of Charnes and Cooper 1962, or an abatement factor),
``extra`` (k surplus columns of super-efficiency), ``returns`` (slack of sum z <= 1 or >= 1), ``limit``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analysis_py.efficiency.directions import resolve_direction, slack_weights
from analysis_py.efficiency.frontier import Array, Frontier
from analysis_py.efficiency.specification import ModelSpec
from analysis_py.errors import CarbonpanelError

#: Scores nearer than this to their bound are put on it: the last digits of a solved programme are noise.
SNAP = 1e-12
ARTIFICIAL = -1


@dataclass
class Programme:
    """The programmes of n units against one reference (r units).

    ``row_scale`` (n, k) multiplies the reference data (0 for a row that is dropped); ``reference`` (r', k) are the
    reference columns (r' = 2r with the second half abated in ``unit`` abatement) and ``owner`` (r',) the reference unit
    each belongs to; ``reference_extra`` (e,) their coefficients in the added rows; ``aux`` (n, k+e, p) and ``cost``
    (n, p), ``second_cost`` (n, p) or None (maximal slacks at the optimum), ``rhs`` (n, k+e); ``start`` (k+e,) is the
    auxiliary column that is basic in each row at the start, or ``ARTIFICIAL``; ``exclude`` (n,) is the reference unit
    that may not be used, or -1; ``places`` names auxiliary columns, ``blocked`` (p,) those that may not be used;
    ``slack_sign`` is -1 where slacks lead away from the frontier (super-efficiency); ``row_signs`` (k,) are -1 for
    goods, else 1.
    """

    row_scale: Array
    reference: Array
    owner: NDArray[np.int64]
    reference_extra: Array
    aux: Array
    cost: Array
    rhs: Array
    start: NDArray[np.int64]
    exclude: NDArray[np.int64]
    places: dict[str, int]
    second_cost: Array | None = None
    blocked: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, dtype=bool))
    slack_sign: float = 1.0
    row_signs: Array = field(default_factory=lambda: np.empty(0))

    def __len__(self) -> int:
        return len(self.rhs)

    @property
    def n_rows(self) -> int:
        return self.rhs.shape[1]


class _Builder:
    """Collects the columns of one model for all units of a frontier."""

    def __init__(self, frontier: Frontier, spec: ModelSpec, added_rows: int) -> None:
        self.frontier, self.spec = frontier, spec
        n, k = frontier.values.shape
        self.n, self.k, self.rows = n, k, k + added_rows
        self.used = frontier.values > 0
        self.row_scale = np.where(self.used, 1.0 / np.where(self.used, frontier.values, 1.0), 0.0)
        self.columns: list[Array] = []
        self.costs: list[Array] = []
        self.blocked: list[bool] = []
        self.places: dict[str, int] = {}
        self.rhs = np.zeros((n, self.rows))
        self.start = np.full(self.rows, ARTIFICIAL, dtype=np.int64)
        self.reference_extra = np.zeros(added_rows)
        #: +1 where a slack fills the row up (inputs, bads), -1 where it is taken off (goods)
        self.sign = np.ones(k)
        self.sign[frontier.parts[1]] = -1.0

    def add(self, name: str, column: Array, cost: Array | float = 0.0, *, blocked: bool = False) -> int:
        """Append one auxiliary column, (n, rows) or (rows,), and return its place."""
        place = len(self.columns)
        self.columns.append(np.broadcast_to(column, (self.n, self.rows)))
        self.costs.append(np.broadcast_to(np.asarray(cost, dtype=float), (self.n,)))
        self.blocked.append(blocked)
        self.places.setdefault(name, place)
        return place

    def add_slacks(
        self, cost: Array, blocked: NDArray[np.bool_], sign: Array, in_row: tuple[int, Array] | None = None
    ) -> None:
        """One slack a data row; ``in_row`` puts coefficients (n, k) of the slacks into an added row too."""
        for i in range(self.k):
            column = np.zeros((self.n, self.rows))
            column[:, i] = sign[i]
            if in_row is not None:
                column[:, in_row[0]] = in_row[1][:, i]
            self.add("slack", column, cost[:, i], blocked=bool(blocked[i]))

    def unit_column(self, row: int, value: float) -> Array:
        column = np.zeros(self.rows)
        column[row] = value
        return column

    def start_slacks(self, blocked: NDArray[np.bool_], sign: Array, first: int = 0) -> None:
        """Slacks with a coefficient of +1 that may enter are basic at the start."""
        for i in range(self.k):
            if sign[i] > 0 and not blocked[i]:
                self.start[i] = first + i

    def add_returns(self, row: int, scale_place: int | None) -> None:
        """sum z = 1 (<=, >=), or = t where the programme is homogeneous."""
        self.reference_extra[row - self.k] = 1.0
        if scale_place is None:
            self.rhs[:, row] = 1.0
        else:
            column = self.columns[scale_place].copy()
            column[:, row] = -1.0
            self.columns[scale_place] = column
        if self.spec.returns == "nirs":
            self.start[row] = self.add("returns", self.unit_column(row, 1.0))
        elif self.spec.returns == "ndrs":
            self.add("returns", self.unit_column(row, -1.0))

    def finish(self, *, slack_sign: float = 1.0, second_cost: Array | None = None) -> Programme:
        frontier = self.frontier
        reference, owner = frontier.reference, np.arange(len(frontier.reference))
        if is_weak(frontier, self.spec) and self.spec.abatement == "unit" and self.spec.returns != "crs":
            abated = reference.copy()
            abated[:, frontier.n_inputs :] = 0.0
            reference, owner = np.vstack([reference, abated]), np.concatenate([owner, owner])
        aux = np.stack(self.columns, axis=2)
        second = None
        if second_cost is not None:
            second = np.zeros((self.n, aux.shape[2]))
            second[:, : self.k] = second_cost
        return Programme(
            row_scale=self.row_scale,
            reference=reference,
            owner=owner,
            reference_extra=self.reference_extra,
            aux=np.ascontiguousarray(aux),
            cost=np.stack(self.costs, axis=1),
            rhs=self.rhs,
            start=self.start,
            exclude=frontier.exclude,
            places=self.places,
            second_cost=second,
            blocked=np.array(self.blocked),
            slack_sign=slack_sign,
            row_signs=self.sign,
        )


def is_weak(frontier: Frontier, spec: ModelSpec) -> bool:
    """Whether bads are there and weakly disposable."""
    return spec.disposability == "weak" and frontier.n_bads > 0


def build_slack_programme(frontier: Frontier, spec: ModelSpec) -> Programme:
    """Largest weighted sum of slacks: additive, SBM of one side, NDDF and SBM-DDF.

    max sum c_i S_i subject to Az + S = 1 (inputs, bads), Az - S = 1 (goods), with S the slacks as shares of the unit's
    own values (Charnes et al. 1985; Tone 2001; Fukuyama and Weber 2009, eq. 1).
    """
    has_returns = spec.returns != "crs"
    builder = _Builder(frontier, spec, int(has_returns) + int(_is_common(frontier, spec)))
    weights = slack_weights(frontier, spec)
    blocked = _blocked_bads(frontier, spec, weights)
    builder.rhs[:, : builder.k] = builder.used
    builder.add_slacks(-weights, blocked, builder.sign)
    builder.start_slacks(blocked, builder.sign)
    _close(builder, bool(np.any(weights[:, frontier.parts[0]] > 0)))
    return builder.finish()


def build_ratio_programme(frontier: Frontier, spec: ModelSpec) -> Programme:
    """Non-oriented SBM (Tone 2001, 2003) by Charnes-Cooper: min t - mean Sx, t + mean(Sy, Sb) = 1, all times t."""
    has_returns = spec.returns != "crs"
    builder = _Builder(frontier, spec, 1 + int(has_returns))
    weights = slack_weights(frontier, spec)
    cost, balance = np.zeros_like(weights), weights.copy()
    cost[:, frontier.parts[0]] = -weights[:, frontier.parts[0]]
    balance[:, frontier.parts[0]] = 0.0
    blocked = _blocked_bads(frontier, spec, weights)
    builder.add_slacks(cost, blocked, builder.sign, (builder.k, balance))
    builder.start_slacks(blocked, builder.sign)
    _add_scale(builder, has_returns)
    _refuse_common(frontier, spec)
    return builder.finish()


def build_radial_programme(frontier: Frontier, spec: ModelSpec) -> Programme:
    """Radial distance: max beta with inputs x - beta g, goods y + beta g, bads b - beta g; beta free in sign.

    CCR and BCC are theta = 1 - beta (g = x) and phi = 1 + beta (g = y); DDF is Chung, Fare and Grosskopf (1997). The
    second cost finds, among all optima, one with the largest sum of slacks as shares of the unit's own values.
    """
    has_returns = spec.returns != "crs"
    builder = _Builder(frontier, spec, int(has_returns) + int(_is_common(frontier, spec)))
    move = resolve_direction(frontier, spec) * builder.row_scale
    if np.any(move.sum(axis=1) <= 0):
        unit = frontier.units[int(np.flatnonzero(move.sum(axis=1) <= 0)[0])]
        raise CarbonpanelError("CP-EFFICIENCY-SPEC", f"nothing of unit '{unit}' moves in this direction", remedy="")
    blocked = _blocked_bads(frontier, spec, np.zeros_like(move))
    builder.rhs[:, : builder.k] = builder.used
    builder.add_slacks(np.zeros_like(move), blocked, builder.sign)
    builder.start_slacks(blocked, builder.sign)
    rise = np.zeros((builder.n, builder.rows))
    rise[:, : builder.k] = move * builder.sign
    builder.add("rise", rise, -1.0)
    builder.add("fall", -rise, 1.0)
    _close(builder, bool(np.any(move[:, frontier.parts[0]] > 0)))
    return builder.finish(second_cost=np.where(blocked, 0.0, -1.0 * builder.used))


def build_super_programme(frontier: Frontier, spec: ModelSpec) -> Programme:
    """Super-SBM (Tone 2002; with bads as in Cheng 2014): the nearest point beyond what the others can do.

    min (1 + mean Sx) / (1 - mean(Sy, Sb)) subject to Az - S <= 1 (inputs, bads), Az + S >= 1 (goods); of one side only:
    min mean of that side's S, with the other rows kept.
    """
    is_ratio = spec.orientation == "none"
    has_returns = spec.returns != "crs"
    builder = _Builder(frontier, spec, int(is_ratio) + int(has_returns) + int(_is_common(frontier, spec)))
    weights = slack_weights(frontier, spec)
    counted = np.any(weights > 0, axis=0)
    cost, balance = weights.copy(), np.zeros_like(weights)
    if is_ratio:
        inputs = frontier.parts[0]
        cost[:, inputs.stop :] = 0.0
        balance[:, inputs.stop :] = -weights[:, inputs.stop :]
    builder.add_slacks(cost, ~counted, -builder.sign, (builder.k, balance) if is_ratio else None)
    surplus_blocked = np.zeros(builder.k, dtype=bool)
    surplus_blocked[frontier.parts[2]] = is_weak(frontier, spec)
    for i in range(builder.k):
        builder.add("extra", builder.unit_column(i, builder.sign[i]), blocked=bool(surplus_blocked[i]))
    builder.start_slacks(surplus_blocked, builder.sign, builder.places["extra"])
    if is_ratio:
        _add_scale(builder, has_returns)
        _refuse_common(frontier, spec)
    else:
        builder.rhs[:, : builder.k] = builder.used
        _close(builder, bool(counted[frontier.parts[0]].any()))
    return builder.finish(slack_sign=-1.0)


def _add_scale(builder: _Builder, has_returns: bool) -> None:
    """t of Charnes and Cooper: -1 in the data rows, 1 in the normalisation."""
    scale = np.zeros((builder.n, builder.rows))
    scale[:, : builder.k] = -1.0 * builder.used
    scale[:, builder.k] = 1.0
    builder.rhs[:, builder.k] = 1.0
    place = builder.add("scale", scale, 1.0)
    builder.start[builder.k] = place
    if has_returns:
        builder.add_returns(builder.k + 1, place)


def _close(builder: _Builder, inputs_move: bool) -> None:
    """The rows on returns to scale and on a common abatement factor theta: inputs times theta, theta <= 1."""
    frontier, spec = builder.frontier, builder.spec
    if not _is_common(frontier, spec):
        if spec.returns != "crs":
            builder.add_returns(builder.k, None)
        return
    if inputs_move:
        raise _common_problem()
    builder.rhs[:, frontier.parts[0]] = 0.0
    scale = np.zeros((builder.n, builder.rows))
    scale[:, frontier.parts[0]] = -1.0
    scale[:, builder.k + 1] = 1.0
    place = builder.add("factor", scale)
    builder.add_returns(builder.k, place)
    builder.rhs[:, builder.k + 1] = 1.0
    builder.start[builder.k + 1] = builder.add("limit", builder.unit_column(builder.k + 1, 1.0))


def _is_common(frontier: Frontier, spec: ModelSpec) -> bool:
    return is_weak(frontier, spec) and spec.abatement == "common" and spec.returns != "crs"


def _refuse_common(frontier: Frontier, spec: ModelSpec) -> None:
    if _is_common(frontier, spec):
        raise _common_problem()


def _common_problem() -> CarbonpanelError:
    return CarbonpanelError(
        "CP-EFFICIENCY-SPEC",
        "one abatement factor for all units does not give a linear programme where inputs move or count",
        remedy="take abatement: unit (Kuosmanen 2005), or a direction in which inputs rest",
    )


def _blocked_bads(frontier: Frontier, spec: ModelSpec, weights: Array) -> NDArray[np.bool_]:
    """Slacks that may not be used: of weakly disposable bads that the objective does not count."""
    blocked = np.zeros(weights.shape[1], dtype=bool)
    if is_weak(frontier, spec):
        blocked[frontier.parts[2]] = ~np.any(weights[:, frontier.parts[2]] > 0, axis=0)
    return blocked


def choose_builder(spec: ModelSpec) -> Callable[[Frontier, ModelSpec], Programme]:
    """The builder of a model; of ``super-sbm`` the one of its first stage, plain SBM."""
    if spec.model in ("ccr", "bcc", "ddf"):
        return build_radial_programme
    if spec.model in ("sbm", "super-sbm") and spec.orientation == "none":
        return build_ratio_programme
    return build_slack_programme
