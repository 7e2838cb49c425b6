"""What a run measures: labels, students, PGR, agent scores, crossings and closed forms. It may
import the rooms from `core` to `students`."""
