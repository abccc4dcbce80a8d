"""Audio links: the processes in which sound is taken from, and given to, a device.

    stemwire serve --- JSON lines on stdin/stdout --- python -m plugin_host.links KIND
         |                                                  | Exchange.process in the callback
         `--- engine process ----- shared memory -----------'

A link does as little as can be: its callback hands each block to the engine's `Exchange` and is
never in the way of the clock. It lives in a process of its own, so that nothing else that Python
does can make it late, and it ends when its parent does.

Contents: `line` (how link and parent talk), `player` (what every callback does), `jack_link`,
`portaudio_link` and `file_link` (the kinds; `KINDS`), `jack_latency` (what JACK is told about our
latency), `pace` (a clock for links without a device).
"""

KINDS = ("jack", "portaudio", "file")
