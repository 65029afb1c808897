"""What no reviewer remembers: each rule of the house is read off the tree itself, and each check can fail."""
