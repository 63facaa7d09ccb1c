"""How long `kubectl isthmus` takes, as a person waits for it: a new process each time, over a hub with many jobs."""
