"""From a finding to candidate patches: rules, search and reflection behind one port."""
