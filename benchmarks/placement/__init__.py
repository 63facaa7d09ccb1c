"""Measures placement with no cluster: batches against the program's bound and against greedy, and single arrivals."""
