"""`nba load`: a folder of CSV or Parquet files, checked against the contract, into the raw schema, all or nothing."""
