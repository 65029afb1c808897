"""What was acknowledged is kept: through power cuts, kills, full disks and lost answers."""
