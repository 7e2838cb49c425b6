"""`python -m oversight` is the command `oversight`."""

from oversight.cli import main

main(prog_name="oversight")
