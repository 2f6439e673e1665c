"""Trained generators: described, loaded, run, exported."""
