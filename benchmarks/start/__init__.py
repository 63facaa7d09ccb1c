"""Start and size: a hub with many finished and running jobs over a hundred nodes begins anew, and an hour passes."""
