"""What each command says of a captured script."""
