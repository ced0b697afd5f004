"""What the layers above know of pictures and are asked."""

from django.dispatch import Signal

# user=, media= (ids): the answers are names of models that have learned from one of these, as far as `user` may know.
who_learned = Signal()
