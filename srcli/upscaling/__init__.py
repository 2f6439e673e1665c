"""Enlarging pictures with a trained generator."""
