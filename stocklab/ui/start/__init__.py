"""Five questions to a new user, and the strategies that fit the answers."""
