"""Results as text, machine output, HTML reports and lessons."""
