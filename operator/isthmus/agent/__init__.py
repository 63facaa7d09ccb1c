"""The loop that carries out one node's Dispatches and reports. Does I/O; knows no kopf."""
