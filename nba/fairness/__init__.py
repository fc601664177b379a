"""Which features stand in for what may never be a feature."""
