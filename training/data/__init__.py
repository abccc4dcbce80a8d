"""Training material: MIDI songs rendered to stems, mixed at random, kept in a pool.

`midi` reads a song, `render` plays it through soundfonts stem by stem, `augment` varies how stems
sound and are mixed, `pool` keeps the excerpts that a run trains on.
"""
