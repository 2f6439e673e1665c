"""Hostile inputs of every untrusted kind, and a harness that observes their effects."""
