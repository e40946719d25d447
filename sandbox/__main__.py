"""`python -m sandbox`: RingCentral on localhost until it is stopped."""

import typer

from sandbox.commands import start

if __name__ == "__main__":
    typer.run(start)
