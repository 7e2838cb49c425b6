"""Students: what is trained on an overseer's labels. Registered in `oversight.students`."""
