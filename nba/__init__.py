"""Next best action for pharma field teams: learning, explanation, frames, warehouse access and the command line."""
