"""The four kinds as pydantic models, with names, quantities and conditions. Pure: no I/O, no clock."""
