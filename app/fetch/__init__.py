"""Downloading bars for people: what is asked for, how it goes, what came of it."""
