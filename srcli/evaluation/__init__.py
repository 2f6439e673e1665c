"""Comparing finished models and plotting the curves of runs."""
