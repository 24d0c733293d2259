"""Cases: searches, results and notes that belong together, and how they are handed over."""
