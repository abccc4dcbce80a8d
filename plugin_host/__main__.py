"""`python -m plugin_host` is the command `stemwire`."""

from plugin_host.cli import app

app(prog_name="stemwire")
