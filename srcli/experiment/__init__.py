"""Experiments: validated presets and experiment files."""
