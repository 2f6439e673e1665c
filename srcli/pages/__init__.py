"""HTML pages that stand alone: one style, everything inside."""
