"""Kakushadze's 101 formulaic alphas."""
