"""A fuzzer: mutated inputs of every kind, each read in a process that may die.

`make fuzz` runs 20,000 cases and prints a table; `python -m tests.fuzz --help` lists the options. The inputs
of past failures are in `corpus/` and are tried in `make test`.
"""
