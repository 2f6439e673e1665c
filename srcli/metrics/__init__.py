"""How good enlarged faces are."""
