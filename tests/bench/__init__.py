"""Speed as ratios, each measured in one run against the bare loop: `make bench`."""
