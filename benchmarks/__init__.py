"""Benchmarks: one file per question, one adapter per system under peers/, one command to run them.

`python -m benchmarks` lists the questions; `python -m benchmarks encode` answers one. How things
are measured is said in `measure`, `worker` and each question; results/ holds the answers as JSON.
"""
