"""A burst of ComputeJobs over a hub and two members on the testbed: how fast, with how many writes, at what cost."""
