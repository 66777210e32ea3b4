"""One module per subject; every function here with @figure is a line of the report."""
