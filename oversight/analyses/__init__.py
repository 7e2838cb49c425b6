"""What each command does with a study: it runs, writes and hands out the result. It may import the
rooms from `core` to `reports`."""
