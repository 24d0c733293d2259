"""Captions drafted from attributes, for people to approve."""
