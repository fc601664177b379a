"""Monitoring: how features and scores are spread, whether they drifted, how past predictions came out, when to train anew."""
