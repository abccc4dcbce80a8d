"""`python -m training` is `stemwire-train`."""

from training.cli import app

if __name__ == "__main__":
    app(prog_name="stemwire-train")
