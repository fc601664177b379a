"""Gates on the way in and on the way out: what tables look like as numbers, beside the last good run, held to Great Expectations suites."""
