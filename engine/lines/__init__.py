"""Networks as people write them: lines of equations as trees, with shapes and derivatives."""
