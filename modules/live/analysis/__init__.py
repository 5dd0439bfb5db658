"""After the trade: what is held and what it can lose, whether the venue agrees, and what trading cost. All pure."""
