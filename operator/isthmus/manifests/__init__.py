"""A shard to the Job that runs it in a member. Pure: no I/O, no clock."""
