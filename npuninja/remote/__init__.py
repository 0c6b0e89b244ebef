"""Stages on other machines: each stage's command as an action of the Remote Execution API, and the worker's
side of it.
"""
