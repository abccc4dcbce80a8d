"""Open Sound Control: a server for faders of every make, and a small client for scripts.

    datagram --check--> message --address table--> board --shared memory--> engine

Contents: `addresses` (every address there is, from the engine's controls), `patterns` (`*`, `?`,
`[]`, `{}` and `//`), `datagram` (what is checked before it is parsed), `inbox` (what waits),
`schedule` (bundles that come before their time), `peers` (who asks, and how often), `subscriptions`
(who is told what), `tcp` (framing), `server` (the thread that does it all), `client` and `commands`
(`stemwire osc send`, `monitor`, `list`).

The messages themselves are read and built by python-osc; its servers are not used.
"""
