"""pedsite: describe a person in words or show a picture, and find them in a gallery."""
