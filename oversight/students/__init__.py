"""What is trained on an overseer's labels. It may import the rooms from `core` to `components`."""
