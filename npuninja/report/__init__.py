"""What was built, as a page: `design_facts` reads the design, `routes` follows streams, `page` makes HTML.

A page is one file that needs no network: styles, script and drawings are in it.
"""
