"""Models, their trainings and their evaluations for programs."""
