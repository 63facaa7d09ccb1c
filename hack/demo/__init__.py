"""`make demo`: work of a GPU cluster trace over a hub and four members on this machine."""
