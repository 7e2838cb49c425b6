"""How a study is run: replicates, workers, clusters, and the store that a killed run resumes from.
It may import the rooms from `core` to `studies`."""
