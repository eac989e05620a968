"""The system page: every part of the program, its uptime, its jobs and what this process holds."""
