"""Take target weights through the risk decision to orders, fills and NAV."""
