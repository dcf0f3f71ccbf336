"""Checks of what the program needs, each with a verdict and what to do."""
