"""`nba whatif`: other limits, forced and forbidden pairs, curves and the field's own plan, beside the live one. Writes nothing to the
warehouse."""
