"""Measures the built broker on this machine, beside a roofline and other brokers. Started by bench/run_bench.

Read in this order: goals.py (the table to be reached), cells.py (what is run for which row), schedule.py (interleaving,
repeats, quiet machine), report.py and figures.py (what is written).
"""
