"""The local provider: control planes as processes on this machine."""
