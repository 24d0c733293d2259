"""Pages of models, of their trainings and of their evaluations."""
