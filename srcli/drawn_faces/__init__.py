"""Faces that this project draws itself."""
