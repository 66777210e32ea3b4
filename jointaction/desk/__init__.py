"""The desk of the cooperating units: what was put before them, whom they check."""
