"""What people say of what was found: findings in a queue, verdicts, and how far they agree."""
