"""The words of venues: what is sent to hear of an instrument, and what their messages mean."""
