"""A working day for the people of a protocol: hours, breaks, queues and fatigue (MODEL 7). It may
import the rooms from `core` to `failures`."""
