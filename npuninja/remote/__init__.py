"""Stages on other machines: their commands as actions of the Remote Execution API; the worker's side."""
