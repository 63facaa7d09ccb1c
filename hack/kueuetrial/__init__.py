"""Kueue itself under a member: built from its Go module, run as a process, and jobs sent through it."""
