"""Files on disk: atomic writes, bounded reads, checksums."""
