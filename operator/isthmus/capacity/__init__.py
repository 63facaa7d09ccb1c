"""Nodes and pods to a resource profile and per-machine shapes. Pure: no I/O, no clock."""
