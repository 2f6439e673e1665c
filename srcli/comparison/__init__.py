"""Comparing finished models."""
