"""Prices of the provinces: the deflator of GDP, and the price index of investment in fixed assets.

The index of investment is printed to 2019. From 2020 on investment is priced like GDP in this world, which is what a
reader assumes who chains the index on with the deflator; up to 2019 the two differ. City and province tables are both
deflated with it, as the yearbooks print no such index for cities.
"""

from __future__ import annotations

import numpy as np

from analysis_py.simulate.places import YEARS
from analysis_py.simulate.process import autoregress
from analysis_py.simulate.streams import Streams

#: Last year in which the price index of investment is printed.
LAST_PRICE_YEAR = 2019
#: How much of a change of the deflator the price of investment follows, and its own noise (index points).
_FOLLOWS, _OWN_SD = 0.8, 0.9
#: A jump of nominal GDP because a city left the province is no change of prices.
_DEFLATOR_BAND = (97.0, 109.0)


def deflate_growth(gdp: np.ndarray, growth_index: np.ndarray) -> np.ndarray:
    """(P, T) deflator of GDP, previous year = 100: nominal growth over real growth; NaN in the first year.

    ``gdp`` is nominal GDP in any unit, ``growth_index`` the volume index (previous year = 100), both (P, T).
    """
    out = np.full(gdp.shape, np.nan)
    out[:, 1:] = gdp[:, 1:] / gdp[:, :-1] / growth_index[:, 1:] * 1e4
    return out


def draw_investment_prices(streams: Streams, gdp: np.ndarray, growth_index: np.ndarray) -> np.ndarray:
    """(P, T) price index of investment, previous year = 100: one decimal to 2019, then the deflator itself."""
    draw = streams.stream("investment_prices")
    deflator = deflate_growth(gdp, growth_index)
    common = 0.8 * draw.standard_normal(len(YEARS))
    own = _OWN_SD * autoregress(draw, gdp.shape, 0.3)
    first = draw.normal(101.0, 0.6, len(gdp))
    seen = np.clip(np.where(np.isnan(deflator), first[:, None], deflator), *_DEFLATOR_BAND)
    index = np.round(100.0 + _FOLLOWS * (seen - 100.0) + common[None, :] + own, 1)
    return np.where((YEARS > LAST_PRICE_YEAR)[None, :], deflator, index)
