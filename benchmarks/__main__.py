"""`python -m benchmarks` is `stemwire-bench`."""

from benchmarks.cli import app

if __name__ == "__main__":
    app(prog_name="stemwire-bench")
