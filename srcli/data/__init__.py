"""Datasets, training batches and degradation."""
