"""Packing pictures of faces into a dataset."""
