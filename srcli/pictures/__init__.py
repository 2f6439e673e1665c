"""Pictures in and out: opening, resizing, and the number ranges they live in."""
