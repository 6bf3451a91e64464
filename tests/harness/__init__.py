"""What the tests of soundness share: outcomes of calls, logs of reads, changes of places, generated programs."""
