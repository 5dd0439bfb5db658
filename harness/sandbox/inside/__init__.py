"""What runs on the way into a jail: standard library only, no import of anything outside this folder."""
