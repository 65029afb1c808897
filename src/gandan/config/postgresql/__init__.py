"""Django's PostgreSQL engine, with a shorter wait at the head of the audit record. See `base`."""
