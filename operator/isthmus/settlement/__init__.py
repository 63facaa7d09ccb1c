"""Readings and tariffs to priced lines and statements. Pure: no I/O, no clock.

No float anywhere: resource-time is integers, money is decimals, and rounding happens in two places only, a line's
pricing quantity (12 decimals) and a statement's total (the currency's smallest coin).
"""
