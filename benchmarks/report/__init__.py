"""What a benchmark measured: written down, and shown in the documentation."""
