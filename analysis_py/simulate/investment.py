"""Investment after its amounts are no longer printed, and the capital stock it leaves.

K(2006) = I(2006) / 10%;  K(t) = (1 - 9.6%) K(t-1) + I(t) / P(t), with I in current prices and P the province's price
index of fixed asset investment, 2006 = 1 (perpetual inventory, initial stock by rule ``tenth``).
"""

from __future__ import annotations

import numpy as np

from analysis_py.simulate.layout import canonical, printed
from analysis_py.simulate.places import YEARS

YEARBOOK = "city_yearbook"
CAPITAL_BASE_YEAR, DEPRECIATION, TENTH = 2006, 0.096, 0.10
_BASE = int(np.flatnonzero(YEARS == CAPITAL_BASE_YEAR)[0])


def growth_of(investment: np.ndarray) -> np.ndarray:
    """(N, T) growth of investment over the year before in percent, as printed; NaN where it is not printed."""
    growth = np.full(investment.shape, np.nan)
    growth[:, 1:] = 100.0 * (investment[:, 1:] / investment[:, :-1] - 1.0)
    name = "fixed_asset_investment_growth"
    return canonical(YEARBOOK, name, printed(YEARBOOK, name, growth))


def accumulate_capital(investment: np.ndarray, price: np.ndarray) -> np.ndarray:
    """(N, T) capital stock at 2006 prices (10^8 yuan) of investment (10^8 yuan, current prices); NaN before 2006.

    ``price`` is (N, T), any base.
    """
    real = investment / (price / price[:, [_BASE]])
    stock = np.full(investment.shape, np.nan)
    stock[:, _BASE] = real[:, _BASE] / TENTH
    for t in range(_BASE + 1, investment.shape[1]):
        stock[:, t] = (1.0 - DEPRECIATION) * stock[:, t - 1] + real[:, t]
    return stock
