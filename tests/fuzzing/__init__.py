"""Hostile inputs of every kind that strangers may send, and a harness that watches what becomes of them."""
