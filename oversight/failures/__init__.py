"""The catalogue of failures, a few short files by what goes wrong. Registered through the entry-
point group `oversight.failures`, the way a stranger's package would be."""
