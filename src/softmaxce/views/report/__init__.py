"""Reports: one HTML file, or its pictures as SVG."""
