"""Which estimate of impact leads to the better plan: worlds of many shapes with a known truth, methods side by side in one run."""
