"""Everything the raw tables hold besides the carbon productivity study's own measures, in the order it is drawn.

Each part has random streams of its own, so that nothing drawn before it moves.
"""

from __future__ import annotations

from pathlib import Path

from analysis_py.simulate.digital import draw_digital
from analysis_py.simulate.effects import Ground
from analysis_py.simulate.environment import draw_construction, draw_emissions, draw_green_finance
from analysis_py.simulate.fuels import draw_energy, split_fuels
from analysis_py.simulate.history import draw_history
from analysis_py.simulate.investment import growth_of
from analysis_py.simulate.patents import draw_ai_patents, split_green_patents
from analysis_py.simulate.society import draw_people, draw_reports, draw_sectors


def draw_measured(ground: Ground, reference: Path) -> None:
    """Add the fuels and every further quantity (N, T), their coefficients and the cross section to ``ground``."""
    ground.history |= draw_history(ground)
    ground.quantity |= draw_ai_patents(ground)
    ground.quantity |= split_green_patents(ground)
    ground.quantity |= split_fuels(ground.places, ground.streams, ground.co2_mt, reference)
    ground.quantity |= draw_energy(ground, reference)
    ground.quantity |= draw_sectors(ground)
    ground.quantity |= draw_people(ground)
    ground.quantity |= draw_reports(ground)
    ground.quantity |= draw_emissions(ground)
    ground.quantity |= draw_construction(ground)
    ground.quantity |= draw_green_finance(ground)
    ground.quantity |= draw_digital(ground)
    growth = growth_of(ground.quantity["fixed_asset_investment"])
    ground.quantity["fixed_asset_investment_growth"] = growth
