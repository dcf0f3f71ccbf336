"""Which bars are final, and in which order they leave; no input or output."""
