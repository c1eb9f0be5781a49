"""How fast kjax is beside its peers: the same work, in one run, in turn.

`python -m compat_tests.speed --help`. A new work is a file in `works/`; a new peer is a line in `peers.py` and a
function in each work that it does. `mlp-first` is the example of a work measured in fresh processes.
"""
