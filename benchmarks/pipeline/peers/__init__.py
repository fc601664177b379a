"""What others would use for a part of the pipeline, or for all of it: each is given what our part is given, and one core."""
