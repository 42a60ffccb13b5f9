"""Results for programs: JSON, JSON lines and CSV."""
