"""What plots are drawn with: labelled columns, intervals over seeds, colours and axes."""
