"""The model behind the simulated feed: see docs/simulated-market.md."""
