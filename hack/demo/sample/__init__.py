"""A small trace of openb's form, for checkouts without the trace itself."""
