"""The health of a run, judged from its log."""
