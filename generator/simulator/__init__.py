"""The queue in a world of our own: people who ask and workers that need time, by events in virtual time.

Claims, transitions, shares, measured step times and outlooks are the real ones, against a real database made for it;
only people, engines and the clock are invented. So what it tells of waits is what the queue does (docs/queue.md).
"""
