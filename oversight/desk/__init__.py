"""A working day for the people of a protocol: hours, breaks, queues, fatigue (MODEL 7)."""
