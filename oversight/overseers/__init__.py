"""Who judges and who argues: people, the strong model, panels, reward models, and the parts that
mechanisms combine them with. It may import the rooms from `core` to `metrics`."""
