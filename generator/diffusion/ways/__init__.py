"""The ways to make a picture from a picture. spec.py and geometry.py may be imported without torch."""
