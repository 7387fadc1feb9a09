"""The processes that answers run in: started, waiting, confined, ended."""
