"""What a run showed, as data: comparisons, sweeps, break points, designs and sensitivity indices.
It may import the rooms from `core` to `running`."""
