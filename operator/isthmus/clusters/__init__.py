"""The thin Kubernetes client: requests, watches, credentials. Does I/O; knows no kopf."""
