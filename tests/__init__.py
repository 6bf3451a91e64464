"""The tests, and the programs they run on."""
