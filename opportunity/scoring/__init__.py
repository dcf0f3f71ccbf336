"""Scoring: weights, the ensemble, the market's context and the consensus of timeframes."""
