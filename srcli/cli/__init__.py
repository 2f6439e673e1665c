"""What a person types: one file per command, no logic."""
