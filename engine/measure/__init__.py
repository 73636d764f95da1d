"""What can be measured of a run: metrics, norms, series, costs, gradients."""
