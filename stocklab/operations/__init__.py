"""What keeps the program running and informed beside its data: application services over the app database."""
