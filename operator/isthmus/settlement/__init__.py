"""Readings and tariffs to priced lines and statements. Pure: no I/O, no clock."""
