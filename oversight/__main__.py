"""`python -m oversight` is the command `oversight`."""

from oversight.cli.main import main

main(prog_name="oversight")
