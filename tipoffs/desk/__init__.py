"""The desks of reports: that of the handlers, and that of the vault, which handles nothing."""
