"""`make faults`: an installation of its own, and everything that can break in it, broken while people work.

Postgres, Redis, a web server and two workers are started here; a seeded plan kills, stops, cuts off and fills them
while people ask for pictures and watch. Afterwards every job must have ended truly, every file be there, and nobody
have been shown an end that was none. No part of `make test`: no file here is named test_*.
"""
