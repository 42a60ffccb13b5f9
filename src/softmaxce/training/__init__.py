"""What is minimised: loss, gradient and curvature as sums over blocks of rows."""
