"""Bars and where they come from: timeframes, symbols, rules, resampling, files and the store."""
