"""Validation of a run: is what it shows more than luck, selection, one lucky regime or a cost that was left out?"""
