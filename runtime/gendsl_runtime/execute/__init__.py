"""Carrying out work: tasks, what performs them, and the processes they run in."""
