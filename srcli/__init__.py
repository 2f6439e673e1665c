"""Face super-resolution with Wasserstein GANs (arXiv 1705.02438)."""

__version__ = "0.1.0"
