"""The SQL store of readings and bookings, with its migrations. Does I/O; knows no kopf."""
