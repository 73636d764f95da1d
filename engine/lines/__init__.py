"""Networks as people write them: lines of equations, their shapes and their derivatives as trees."""
