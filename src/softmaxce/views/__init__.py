"""Results in, text or pixels out. No arithmetic."""
