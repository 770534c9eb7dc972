"""The record judged by programs that nobody here wrote: Go's x/mod, npm's @sigstore/verify, PyPI's sigstore.

These tests mirror no package. What the product wrote goes to all judges that can judge its kind, and so does what was
tampered with. The judges (judge.go, judge.mjs, judge.py) take many cases in one process, and have no network where the
machine allows that. `python3 run.py test` provides what they need.
"""
