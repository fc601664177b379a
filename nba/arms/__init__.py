"""Who is held out, who explores, and what: drawn before planning, with known probabilities."""
