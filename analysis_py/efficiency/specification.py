"""What a model of efficiency is: one frozen value that names every choice behind a score.

Notation: inputs x (m), good outputs y (s), bad outputs b (q), intensities z >= 0.

======================  ==============================================================================================
``ccr``, ``bcc``        radial theta (input, bad) or phi (output); ``ccr`` is CRS, ``bcc`` VRS
``additive``            largest weighted sum of slacks (Charnes et al. 1985); classic weights are ones
``sbm``                 slacks-based rho (Tone 2001; with bads Tone 2003)
``super-sbm``           ``sbm``, and Tone (2002) without the unit itself where ``sbm`` gives one
``ddf``                 radial directional distance beta, free in sign; default direction (0, y, -b)
``nddf``                non-radial directional distance (Zhou, Ang and Wang 2012): sum of w * s / g
``sbm-ddf``             the same programme with the weights of Fukuyama and Weber (2009)
======================  ==============================================================================================
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis_py.errors import CarbonpanelError, did_you_mean

MODELS = ("ccr", "bcc", "additive", "sbm", "super-sbm", "ddf", "nddf", "sbm-ddf")
RETURNS = ("crs", "vrs", "nirs", "ndrs")
ORIENTATIONS = ("none", "input", "output", "bad")
DISPOSABILITIES = ("weak", "strong")
ABATEMENTS = ("equality", "common", "unit")
DIRECTIONS = ("own", "mean", "ones")
ZEROS = ("refuse", "drop_term")
#: Names for the weights of the slacks: of the directional models, and of the additive model.
SHARE_WEIGHTS = ("halves", "thirds")
ADDITIVE_WEIGHTS = ("ones", "own", "ranges", "deviations")
#: Models whose score is an inefficiency, zero for an efficient unit.
INEFFICIENCY_MODELS = ("additive", "ddf", "nddf", "sbm-ddf")
DIRECTIONAL_MODELS = ("ddf", "nddf", "sbm-ddf")
RADIAL_MODELS = ("ccr", "bcc", "ddf")


@dataclass(frozen=True)
class ModelSpec:
    """One model of efficiency, checked on construction; ``None`` means the model's own default and is replaced by it.

    Parameters
    ----------
    model : one of :data:`MODELS`.
    returns : ``crs``, ``vrs`` (sum z = 1), ``nirs`` (<= 1), ``ndrs`` (>= 1); ``ccr`` is always ``crs``, ``bcc``
        ``vrs``; default elsewhere ``crs``.
    orientation : which slacks the score counts (``sbm``, ``super-sbm``) or what moves (``ccr``, ``bcc``; default
        ``input``). ``output`` counts goods and bads together, ``bad`` the bads alone, both as 1 / (1 + mean).
    disposability : of bad outputs. ``strong``: Bz <= b; ``weak``: Bz = b, where b may fall only by what the objective
        counts. So in models whose objective counts the slack of each bad, both are one programme under CRS.
        Default: ``weak`` in radial and non-radial DDF, CCR and BCC; ``strong`` in the SBM family and ``additive``.
    abatement : what weak disposability means when returns are not constant. ``equality`` (default): Bz = b and
        sum z = 1, as most programs have it. ``common``: one abatement factor (Fare and Grosskopf 2003), the same for
        all units; only where inputs neither move nor count, else it is not linear. ``unit``: one factor a unit
        (Kuosmanen 2005), the smallest convex technology with weak disposability.
    weights : ``halves`` or ``thirds`` (``sbm-ddf``: default ``halves``; ``nddf``: default ``thirds``);
        ``ones`` | ``own`` | ``ranges`` | ``deviations`` (``additive``: default ``ones``, which is not unit-invariant);
        or numbers, one a variable in the order inputs, goods, bads, or one a part (inputs, goods, bads; shared
        equally within the part). In ``sbm`` they are made to sum to one over inputs and over outputs.
    direction : ``own`` (the unit's own values), ``mean`` (means of the evaluated units), ``ones``, or an array of
        magnitudes, (m+s+q,) or (n, m+s+q); directional models only.
    direction_inputs, direction_goods, direction_bads : whether that part moves. Default: all, but inputs rest in
        ``ddf`` with a named direction.
    zero : ``refuse``, or ``drop_term``: a good output of zero drops out of the evaluation of that unit, which says so.

    Raises
    ------
    CarbonpanelError : ``CP-EFFICIENCY-SPEC`` for an unknown name or a combination without meaning.
    """

    model: str
    returns: str | None = None
    orientation: str | None = None
    disposability: str | None = None
    weights: str | tuple[float, ...] | None = None
    direction: str | NDArray[np.float64] | None = field(default=None, compare=False)
    direction_inputs: bool | None = None
    direction_goods: bool | None = None
    direction_bads: bool | None = None
    zero: str = "refuse"
    abatement: str = "equality"

    def __post_init__(self) -> None:
        _require(self.model, MODELS, "model")
        self._settle("returns", {"ccr": "crs", "bcc": "vrs"}.get(self.model, "crs"))
        _require(str(self.returns), RETURNS, "returns")
        if (self.model, self.returns) in {("ccr", "vrs"), ("bcc", "crs")}:
            raise _problem(
                f"model '{self.model}' does not have '{self.returns}' returns to scale",
                "CCR is the model with constant and BCC the one with variable returns",
            )
        is_oriented = self.model in ("ccr", "bcc")
        self._settle("orientation", "input" if is_oriented else "none")
        _require(str(self.orientation), ORIENTATIONS, "orientation")
        if is_oriented and self.orientation == "none":
            raise _problem(f"model '{self.model}' needs an orientation", "choose input, output or bad")
        if self.orientation != "none" and not is_oriented and self.model not in ("sbm", "super-sbm"):
            raise _problem(
                f"model '{self.model}' has no orientation",
                "say what moves by the direction (direction_inputs, direction_goods, direction_bads)",
            )
        self._settle("disposability", "weak" if self.model in (*RADIAL_MODELS, "nddf") else "strong")
        _require(str(self.disposability), DISPOSABILITIES, "disposability")
        _require(self.zero, ZEROS, "zero")
        _require(self.abatement, ABATEMENTS, "abatement")
        self._settle_weights()
        self._settle_direction()

    def _settle(self, name: str, value: Any) -> None:
        if getattr(self, name) is None:
            object.__setattr__(self, name, value)

    def _settle_weights(self) -> None:
        defaults = {"sbm-ddf": "halves", "nddf": "thirds", "additive": "ones"}
        self._settle("weights", defaults.get(self.model))
        if self.weights is None:
            return
        if self.model in RADIAL_MODELS:
            raise _problem(f"model '{self.model}' has no weights", "weights belong to models that add slacks up")
        if isinstance(self.weights, str):
            named = {"additive": ADDITIVE_WEIGHTS, "nddf": SHARE_WEIGHTS, "sbm-ddf": SHARE_WEIGHTS}.get(self.model, ())
            _require(self.weights, named, f"weights of {self.model}")
            return
        numbers = tuple(float(w) for w in self.weights)
        if not numbers or not all(np.isfinite(w) and w >= 0 for w in numbers) or sum(numbers) <= 0:
            raise _problem(f"weights {numbers} are not usable", "give numbers of at least zero, not all of them zero")
        object.__setattr__(self, "weights", numbers)

    def _settle_direction(self) -> None:
        flags = ("direction_inputs", "direction_goods", "direction_bads")
        if self.model not in DIRECTIONAL_MODELS:
            if self.direction is not None or any(getattr(self, flag) is not None for flag in flags):
                raise _problem(f"model '{self.model}' has no direction", "directions belong to ddf, nddf and sbm-ddf")
            return
        self._settle("direction", "own")
        is_array = not isinstance(self.direction, str)
        if is_array:
            values = np.array(self.direction, dtype=float)
            if values.ndim not in (1, 2) or not np.all(np.isfinite(values)) or np.any(values < 0):
                raise _problem("the direction is not usable", "give magnitudes of at least zero: inputs, goods, bads")
            values.setflags(write=False)
            object.__setattr__(self, "direction", values)
        else:
            _require(str(self.direction), DIRECTIONS, "direction")
        self._settle("direction_inputs", self.model != "ddf" or is_array)
        self._settle("direction_goods", True)
        self._settle("direction_bads", True)

    @property
    def is_inefficiency(self) -> bool:
        """Whether the score is an inefficiency (0 = efficient) and not an efficiency (1 = efficient)."""
        return self.model in INEFFICIENCY_MODELS

    def describe(self) -> dict[str, Any]:
        """Every choice by name, for the record beside a score; an array direction is given as ``array``."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        if isinstance(self.direction, np.ndarray):
            fields["direction"] = "array"
        if isinstance(self.weights, tuple):
            fields["weights"] = list(self.weights)
        return fields


def _problem(what: str, remedy: str) -> CarbonpanelError:
    return CarbonpanelError("CP-EFFICIENCY-SPEC", what, remedy=remedy)


def _require(value: str, known: tuple[str, ...], name: str) -> None:
    if value not in known:
        remedy = did_you_mean(str(value), known) if known else "leave it out"
        raise CarbonpanelError("CP-EFFICIENCY-SPEC", f"unknown {name} '{value}'", remedy=remedy)
