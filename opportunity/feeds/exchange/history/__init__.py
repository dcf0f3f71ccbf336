"""Bars of the past: asked for page by page, kept, and downloaded."""
