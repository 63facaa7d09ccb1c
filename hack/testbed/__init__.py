"""Real Kubernetes control planes on one machine, for the tests, the demo and the benchmarks."""
