"""Benchmarks: what the engine takes in time, and what the models give in quality.

Each is a module with a command that `cli` puts under `stemwire-bench`. A result is a JSON file that
names the machine, the versions and the model beside the numbers, and a table for people.
"""
