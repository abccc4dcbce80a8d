"""Where music meets the engine: hosts that hand it blocks and take stems back.

Contents: the command line `stemwire` (`cli`), file sessions (`separate`, with `audio_files` to
read, `staging`, `stem_files` and `stem_mp4` to write), `models` and `doctor` views, and the
bundled demo song (`demo_song`).

Imports `engine` and nothing else of this repository.
"""
