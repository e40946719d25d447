"""What is counted in each process, and how counts travel to the one place where they add up."""
