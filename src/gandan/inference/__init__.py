"""What the numbers allow: pure functions that say how sure one may be."""
