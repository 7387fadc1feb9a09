"""What decoding costs and how fast it is: computed, predicted, measured, and recorded."""
