"""What the layers above must know of, to clear up after it. Sent inside the transaction that does it."""

from django.dispatch import Signal

team_closed = Signal()  # team=: nobody is in it any more; what it kept is to go
account_closed = Signal()  # user=: a person has gone for good; their membership ended and their personal team is closed
