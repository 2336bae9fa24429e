"""The suites of `benchmarks.load` as suites of `turnkit bench`: overhead, scale and soak."""
