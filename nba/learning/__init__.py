"""Engagement probability, its exact explanation and the expected impact of a touch: pure functions on Arrow tables."""
