"""The safe language of conditions and watches."""
