"""Runs tests, and the few that failed once more by themselves: what passes then is flaky, and named as such."""
