"""The version of srcli."""

__version__ = "0.1.0"
