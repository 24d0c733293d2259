"""Removing people and old pictures for good, with everything that shows them, and saying so."""
