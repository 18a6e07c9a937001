"""How fast it is, and against what: the floor is the same server doing nothing with a delivery."""
