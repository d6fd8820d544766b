"""Monte Carlo of every estimator on panels of the studies' shapes, held to binomial bands."""
