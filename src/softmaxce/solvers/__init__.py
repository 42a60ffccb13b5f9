"""Minimisers of an objective. They see parameters, never pixels."""
