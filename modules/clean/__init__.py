"""Clean: bitemporal records to panels, with every doubt on record."""
