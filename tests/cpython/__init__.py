"""CPython's own test-suite as the yardstick of the P-form: a rewritten function is the original, or a test of it fails.

`modules` says which parts of the suite are run and what is left out of them, `rewriting` gives every function of a
module its P-form as it is imported, `watching` has the Observer watch every test, `runner` runs one module in a
process of its own, and `test_yardstick` compares what came of it with the untouched run.
"""
