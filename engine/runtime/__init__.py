"""What computes the graph.

`protocol` says what a runtime is; each further module is one of them, and `choice` picks. A
runtime's own library is imported when it is tried, never when this package is.
"""
