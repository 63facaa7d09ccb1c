"""`kubectl isthmus`: each command fetches, a pure function makes text of it, and one place prints or fails."""
