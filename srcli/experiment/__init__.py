"""Experiments: validated presets."""
