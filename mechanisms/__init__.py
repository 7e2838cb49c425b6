"""Mechanisms: one file each, registered through the entry-point group `oversight.mechanisms`."""
