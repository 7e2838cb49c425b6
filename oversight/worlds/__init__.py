"""Where items come from: their features, gold answers, truths and task trees, one replicate at a
time. It may import `core`."""
