"""The engine as a process of its own, so that nothing that Python does elsewhere makes it late.

    with Session.open("default", HostConfig(44_100, 256, 2)) as session:   # the control process
        ...session.segment_path goes to the process with the audio callback...
    exchange = Exchange.attach(path)                                       # the audio link
    exchange.process(block, mix, stems)

Audio crosses in memory that is shared by all of them and addressed by absolute frame position.

Contents: `layout` and `segment` (the memory), `rings` (copies to and from it), `wake` (how to sleep
until a block comes), `exchange` (what an audio callback calls), `loop` (what the engine does all
the time), `session` (what starts, watches, restarts and swaps engines), `opening` (how it begins),
`pulse` and `faults` (how it knows that an engine lives, or by which processor it died), `status`
(what it says of itself), `child` (one engine seen from there), `__main__` (the engine's process
seen from within).
"""

from engine.worker.exchange import Exchange
from engine.worker.session import Session
from engine.worker.status import Status

__all__ = ["Exchange", "Session", "Status"]
