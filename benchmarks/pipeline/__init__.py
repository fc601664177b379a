"""A million HCPs end to end: what every stage costs as worlds grow, beside peers in the same run."""
