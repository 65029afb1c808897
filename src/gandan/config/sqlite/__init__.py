"""SQLite with a write gate: writers queue for the file instead of racing for it."""
