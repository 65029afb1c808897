"""Seeded benchmarks: ours and a peer in one run, interleaved, values checked first, ratios as JSON."""
