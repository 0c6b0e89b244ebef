"""Flows to settings of stream switches."""
