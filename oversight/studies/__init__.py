"""What to run: the scenario file, the study that it describes, its knobs, its identity, and the
settings of sweep, design, play and sensitivity. It may import the rooms from `core` to `desk`."""
