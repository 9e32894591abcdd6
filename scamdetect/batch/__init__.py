"""Scoring whole tables: reading and writing files and frames around the one scoring function."""
