"""Our engine beside its peers on the same seeded instances, end to end, in one run."""
