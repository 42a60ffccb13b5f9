"""The lesson as text, Markdown, JSON and a page; a module for each format."""
