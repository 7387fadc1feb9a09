"""What runs in the answer's process: its cells, the checks, and what guards them."""
