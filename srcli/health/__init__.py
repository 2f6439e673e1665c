"""What ails a run: found in its log, and told."""
