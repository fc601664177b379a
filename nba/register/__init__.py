"""The register of models as people use it: approving a challenger, reading the card of a version."""
