"""The papers' tables and figures, and ours: one folder a study, each run by one command.

A study has `design.py` (what is compared), `run.py` (does it), `result.py` (numbers, tables, figures) and
`page.md.jinja` (the text around them); what studies share is in `kit`.
"""
