"""The web mixer, and OSCQuery: what other programs need to find out what there is to turn.

    browser    --HTTP--> the page          --WebSocket--.
    OSCQuery   --HTTP--> tree of addresses --WebSocket--+-> OSC dispatcher --> board --> engine

One port serves both: who asks for HTML gets the mixer, all others get JSON. Over the WebSocket goes
OSC in binary messages, both ways; what it means is `plugin_host.osc.dispatcher`'s to say.

Contents: `options` (how it is reached), `server` (the thread, `start_web`), `pages` (what is
answered to a request), `tree` (addresses as JSON), `door` (who may enter), `hub` and `client` (the
WebSocket), `spectra` (what the spectrograms show), `discovery` (zeroconf), `page/` (the mixer
itself, as the browser gets it).
"""
