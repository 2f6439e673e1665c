"""Training: one short loop, its state, its evaluation."""
