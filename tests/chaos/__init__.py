"""The whole line under attack: `python -m tests.chaos` kills, drops, fails and then counts."""
