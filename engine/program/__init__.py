"""An experiment compiled into the ops of one iteration."""
