"""A trained model, and the file that holds it."""
