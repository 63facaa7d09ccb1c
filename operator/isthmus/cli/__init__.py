"""The command line: thin entry points that read clocks and environment."""
