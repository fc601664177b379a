"""`nba diff`: two runs that memory keeps, side by side."""
