"""Run directories: what a run keeps, and who may write it."""
