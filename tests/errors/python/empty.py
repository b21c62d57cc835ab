"""Nothing here is a component."""

WIDTH = 3
