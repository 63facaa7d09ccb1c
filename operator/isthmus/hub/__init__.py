"""The operator: kopf handlers, the scheduling loop, aggregation. The only package that knows kopf."""
