"""Where music meets the engine: hosts that hand it blocks and take stems back.

Contents: the command line `stemwire` (`cli`); file sessions (`separate`, with `audio_files` to
read, `staging`, `stem_files` and `stem_mp4` to write) and the bundled demo song (`demo_song`); live
sessions (`serve`, with `live_plan` for what is asked, `live_view` and `live_text` for what is told,
`links` for the processes that sound goes through, `link_keeper` to keep them alive); what turns
them from outside (`control_room`: the `board` with its `presets`, `osc`, `midi`); what there is and
what is missing (`devices`, `doctor`).

Imports `engine` and nothing else of this repository.
"""
