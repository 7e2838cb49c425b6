"""Results as people read them. Reports read results, never a live simulation."""
