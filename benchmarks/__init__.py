"""The scripts that made the records in book/data, and the data and weights in the library."""
