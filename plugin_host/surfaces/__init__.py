"""Control surfaces for other programs, made from the one address table so that they cannot drift.

    python -m plugin_host.surfaces                                 # the files beside this one, anew
    python -m plugin_host.surfaces -o . --stems voice,rest --host 192.168.1.20

Contents: `plan` (what a surface shows), `max_patch`, `pd_patch`, `touchosc`, `open_stage_control`,
`ableton` (one way each to write that down), `catalog` (all of them), `files/` (what they make for
the default model).
"""

from plugin_host.surfaces.catalog import Surface, make_surfaces

__all__ = ["Surface", "make_surfaces"]
