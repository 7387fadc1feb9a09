"""The command line: each command is one call into the package that does the work."""
