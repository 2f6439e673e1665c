"""Whether the findings of the papers hold: what is measured, and what is said of it."""
