"""The functions of each element alone, a file each."""
