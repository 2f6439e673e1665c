"""How good enlarged faces are: measures, and the table of metrics."""
