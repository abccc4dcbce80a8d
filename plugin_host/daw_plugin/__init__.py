"""The plugin for digital audio workstations: VST3, CLAP and LV2, in C++ over the shared memory.

    a DAW's track --> plugin (this folder) --> shared memory --> `stemwire serve --audio plugin`
                          ^------ mix and stems ---'  ^----------------'

The C++ is the host's end of the memory, the counterpart of `engine.worker.exchange`. What both
sides must agree on is written by `header` from the engine's own declarations. README.md beside this
file tells musicians how to install and use it; the Makefile builds it.
"""
