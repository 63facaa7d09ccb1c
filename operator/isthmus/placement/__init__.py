"""Snapshot and jobs to assignments and explanations. Pure: no I/O, no clock, no hidden randomness."""
