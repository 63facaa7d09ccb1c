"""Pods to seconds to cumulative readings. Pure: no I/O, no clock."""
