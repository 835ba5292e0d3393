"""What goes wrong on purpose: in the plant, in its instruments, on the wire.

`kinds` has the words, `fault` one fault with its times, `schedule` what is wrong now; `instrument` and `wire` say what
is then read, `plant` what happens to machines. A fault lives in plant time and has no chance of its own: the same seed,
start and faults give the same numbers to the bit.
"""
