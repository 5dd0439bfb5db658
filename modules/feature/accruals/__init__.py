"""Earnings that are cash, and balance sheets that are not bloated."""
