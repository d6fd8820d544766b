"""Efficiency and productivity: DEA models with bad outputs, their productivity indices, and the solver behind them."""
