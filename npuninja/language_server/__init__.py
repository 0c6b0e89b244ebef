"""Designs in editors, over the Language Server Protocol (`npuninja language-server`).

`analysis` answers questions about a text without the protocol; `server` puts the answers on the wire (pygls).
"""
