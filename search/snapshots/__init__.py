"""Snapshots with what reviewers said: frozen, compared, trained on, and what that bought."""
