"""What several analyses are built from: parameters as vectors, weights as matrices, curvature, directions."""
