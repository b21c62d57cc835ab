"""A run while it goes on: what is known of it, kept beside the results for whoever looks."""
