"""`python -m export` is `stemwire-export`."""

from export.cli import app

if __name__ == "__main__":
    app(prog_name="stemwire-export")
