"""Layers and gradients written for speed; each has a plain counterpart in torch."""
