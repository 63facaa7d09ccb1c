"""What `make image` needs where the build itself reaches neither a registry nor a package index."""
